/*
 * rtc.c - the battery-backed clock: MC146818 registers behind ports 0x70, 0x71.
 */
#include "arch/x86.h"
#include "kern/dev/dev.h"
#include "kern/lib/string.h"

#define RTCINDEX 0x70
#define RTCDATA  0x71

enum { SEC, MIN_, HOUR, DAY, MONTH, YEAR, CENTURY, NRTC };
static const uint8_t rtcregs[NRTC] = {0x00, 0x02, 0x04, 0x07, 0x08, 0x09, 0x32};

#define STATUSA     0x0a
#define UPDATING    0x80
#define STATUSB     0x0b
#define RTC24HOUR   0x02
#define RTCBINARY   0x04
#define RTCPM       0x80
#define RTCPATIENCE 10000 /* an update takes 2 ms */

static uint8_t cmosread(uint reg);
static void rtcsample(uint8_t v[NRTC]);
static void rtcdecode(uint8_t v[NRTC]);
static int rtcyear(const uint8_t v[NRTC]);
static int64_t rtcdays(int y, int m, int d);

/* Seconds since 1970; the clock is taken to run in UTC.  0 when there is no
 * clock or it shows nonsense. */
int64_t
rtcread(void)
{
	uint8_t v[NRTC], again[NRTC];
	int tries = 5;

	do { /* equal twice: no update came between two registers */
		rtcsample(v);
		rtcsample(again);
	} while (memcmp(v, again, sizeof(v)) != 0 && --tries > 0);
	rtcdecode(v);
	if (v[SEC] > 60 || v[MIN_] > 59 || v[HOUR] > 23)
		return 0;
	if (v[DAY] < 1 || v[DAY] > 31 || v[MONTH] < 1 || v[MONTH] > 12)
		return 0;
	return rtcdays(rtcyear(v), v[MONTH], v[DAY]) * 86400 +
		v[HOUR] * 3600 + v[MIN_] * 60 + v[SEC];
}

static uint8_t
cmosread(uint reg)
{
	outb(RTCINDEX, reg);
	return inb(RTCDATA);
}

/* All registers, outside of an update if that can be waited for. */
static void
rtcsample(uint8_t v[NRTC])
{
	int i;

	for (i = 0; i < RTCPATIENCE && (cmosread(STATUSA) & UPDATING); i++)
		;
	for (i = 0; i < NRTC; i++)
		v[i] = cmosread(rtcregs[i]);
}

/* To binary and 24 hours. */
static void
rtcdecode(uint8_t v[NRTC])
{
	uint8_t status = cmosread(STATUSB);
	int pm = !(status & RTC24HOUR) && (v[HOUR] & RTCPM);
	int i;

	if (!(status & RTC24HOUR))
		v[HOUR] &= ~RTCPM;
	for (i = 0; i < NRTC; i++) {
		if (!(status & RTCBINARY) || i == CENTURY)
			v[i] = (v[i] >> 4) * 10 + (v[i] & 15);
	}
	if (!(status & RTC24HOUR))
		v[HOUR] = v[HOUR] % 12 + (pm ? 12 : 0);
}

/* The century register is not on every machine: believe 19 to 21 only. */
static int
rtcyear(const uint8_t v[NRTC])
{
	if (v[CENTURY] >= 19 && v[CENTURY] <= 21)
		return v[CENTURY] * 100 + v[YEAR] % 100;
	return v[YEAR] % 100 + (v[YEAR] % 100 < 70 ? 2000 : 1900);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar.  Years begin in
 * March, so that the leap day is the last of its year. */
static int64_t
rtcdays(int y, int m, int d)
{
	int yday;

	if (m <= 2) {
		y--;
		m += 12;
	}
	yday = (153 * (m - 3) + 2) / 5 + d - 1;
	return 365 * y + y / 4 - y / 100 + y / 400 + yday - 719468;
}
