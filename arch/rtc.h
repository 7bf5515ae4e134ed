/* rtc.h - the battery-backed clock of the machine. */
#ifndef ARCH_RTC_H
#define ARCH_RTC_H

#include "kern/types.h"

/* The date and time of the clock, in seconds since 1970-01-01; the clock is
 * taken to run in UTC.  0 if there is no clock or it shows no possible date.
 * The clock's two ports have no lock: kern/time.c reads it at boot, before
 * other CPUs run, and kern/random.c once, with its own lock held. */
int64_t rtcread(void);

#endif
