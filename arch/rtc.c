/*
 * rtc.c - the battery-backed clock: an MC146818 and its successors.
 *
 * A register is chosen by its number at port 0x70 and read at port 0x71.  Once
 * a second the chip moves all registers on, which takes it up to 2 ms; a read
 * in that time may see some of them before and others after.
 */
#include "arch/rtc.h"

#include "arch/x86.h"
#include "kern/lib/string.h"

#define RTCINDEX 0x70
#define RTCDATA  0x71

/* Indices of the values that are read, and the chip's number of each. */
enum { SEC, MIN_, HOUR, DAY, MONTH, YEAR, CENTURY, NRTC };
static const uint8_t rtcregs[NRTC] = {0x00, 0x02, 0x04, 0x07, 0x08, 0x09, 0x32};

#define STATUSA     0x0a  /* register: */
#define UPDATING    0x80  /* the values are about to change */
#define STATUSB     0x0b  /* register: */
#define RTC24HOUR   0x02  /* hours are 0 to 23, not 1 to 12 */
#define RTCBINARY   0x04  /* values are binary, not two decimal digits */
#define RTCPM       0x80  /* bit of the hour, with 1 to 12: afternoon */
#define RTCPATIENCE 10000 /* reads of STATUSA: more than an update's 2 ms */

static uint8_t cmosread(uint reg);
static void rtcsample(uint8_t v[NRTC]);
static void rtcdecode(uint8_t v[NRTC]);
static int rtcyear(const uint8_t v[NRTC]);
static int64_t rtcdays(int y, int m, int d);

int64_t
rtcread(void)
{
	uint8_t v[NRTC], again[NRTC];
	int tries = 5;

	do { /* two equal samples: no update came between two registers */
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

/* The value of the chip's register reg. */
static uint8_t
cmosread(uint reg)
{
	outb(RTCINDEX, reg);
	return inb(RTCDATA);
}

/* Read all registers into v, as the chip holds them.  Wait for the end of an
 * update first, but not for ever: there may be no chip. */
static void
rtcsample(uint8_t v[NRTC])
{
	int i;

	for (i = 0; i < RTCPATIENCE && (cmosread(STATUSA) & UPDATING); i++)
		;
	for (i = 0; i < NRTC; i++)
		v[i] = cmosread(rtcregs[i]);
}

/* Turn the registers in v into binary numbers, and the hour into 0 to 23.  The
 * century is two decimal digits in any case. */
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

/* The year, with its century.  Not every machine has the century register: one
 * that holds neither 19, 20 nor 21 is not believed, and two digits mean 1970 to
 * 2069 then. */
static int
rtcyear(const uint8_t v[NRTC])
{
	if (v[CENTURY] >= 19 && v[CENTURY] <= 21)
		return v[CENTURY] * 100 + v[YEAR] % 100;
	return v[YEAR] % 100 + (v[YEAR] % 100 < 70 ? 2000 : 1900);
}

/* Days from 1970-01-01 to day d of month m (both from 1) of year y in the
 * Gregorian calendar.  Years are counted from March here, so that the leap day
 * is the last day of its year. */
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
