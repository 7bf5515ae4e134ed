/* event.h - eventfd, timerfd, signalfd and epoll as user programs see them
 * (Linux i386). */
#ifndef ABI_EVENT_H
#define ABI_EVENT_H

#include <stdint.h>

#define EFD_SEMAPHORE 1
#define EFD_NONBLOCK  04000
#define EFD_CLOEXEC   02000000

#endif
