/* event.h - eventfd, timerfd, signalfd and epoll as user programs see them
 * (Linux i386). */
#ifndef ABI_EVENT_H
#define ABI_EVENT_H

#include <stdint.h>

#define EFD_SEMAPHORE 1
#define EFD_NONBLOCK  04000
#define EFD_CLOEXEC   02000000

#define TFD_TIMER_ABSTIME       1
#define TFD_TIMER_CANCEL_ON_SET 2
#define TFD_NONBLOCK            04000
#define TFD_CLOEXEC             02000000

#define SFD_NONBLOCK 04000
#define SFD_CLOEXEC  02000000

struct signalfdinfo {
	uint32_t signo;
	int32_t errno, code;
	uint32_t pid, uid;
	int32_t fd;
	uint32_t tid, band, overrun, trapno;
	int32_t status, value; /* ssi_int */
	uint64_t ptr, utime, stime, addr;
	uint8_t rest[48];
};
_Static_assert(sizeof(struct signalfdinfo) == 128, "signalfd_siginfo");

struct epollevent {
	uint32_t events; /* POLL*, and these flags */
	uint64_t data;   /* the program's */
} __attribute__((packed));
_Static_assert(sizeof(struct epollevent) == 12, "epoll_event");

#define EPOLLEXCLUSIVE (1u << 28)
#define EPOLLWAKEUP    (1u << 29)
#define EPOLLONESHOT   (1u << 30)
#define EPOLLET        (1u << 31)

#define EPOLL_CLOEXEC 02000000

#define EPOLL_CTL_ADD 1
#define EPOLL_CTL_DEL 2
#define EPOLL_CTL_MOD 3

#endif
