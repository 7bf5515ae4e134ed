/* socket.h - sockets as user programs see them (Linux i386). */
#ifndef ABI_SOCKET_H
#define ABI_SOCKET_H

#include "kern/types.h"

#define AF_UNSPEC 0
#define AF_UNIX   1

#define SOCK_STREAM    1
#define SOCK_DGRAM     2
#define SOCK_RAW       3
#define SOCK_SEQPACKET 5
#define SOCK_MAX       11
#define SOCK_TYPEMASK  0xf
#define SOCK_NONBLOCK  04000
#define SOCK_CLOEXEC   02000000

#define SHUT_RD   0
#define SHUT_WR   1
#define SHUT_RDWR 2

#define MSG_OOB          1
#define MSG_PEEK         2
#define MSG_CTRUNC       8
#define MSG_TRUNC        0x20
#define MSG_DONTWAIT     0x40
#define MSG_WAITALL      0x100
#define MSG_NOSIGNAL     0x4000
#define MSG_WAITFORONE   0x10000
#define MSG_CMSG_CLOEXEC 0x40000000

#define SOL_SOCKET 1

#define SO_REUSEADDR     2
#define SO_TYPE          3
#define SO_ERROR         4
#define SO_BROADCAST     6
#define SO_SNDBUF        7
#define SO_RCVBUF        8
#define SO_KEEPALIVE     9
#define SO_PASSCRED      16
#define SO_PEERCRED      17
#define SO_RCVLOWAT      18
#define SO_SNDLOWAT      19
#define SO_RCVTIMEO      20
#define SO_SNDTIMEO      21
#define SO_ACCEPTCONN    30
#define SO_PROTOCOL      38
#define SO_DOMAIN        39
#define SO_RCVTIMEO_NEW  66 /* with 64-bit times */
#define SO_SNDTIMEO_NEW  67

#define SCM_RIGHTS      1
#define SCM_CREDENTIALS 2
#define SCM_MAX_FD      253

#define SOMAXCONN   4096
#define UIO_MAXIOV  1024
#define ADDRLEN_MAX 128 /* sockaddr_storage */

struct sockaddr_un {
	uint16_t family;
	char path[108];
};

struct msghdr {
	uint name;       /* address of a sockaddr */
	int namelen;
	uint iov, iovlen;
	uint control, controllen;
	uint flags;
};
_Static_assert(sizeof(struct msghdr) == 28, "msghdr");

struct mmsghdr {
	struct msghdr hdr;
	uint len;        /* bytes sent or received */
};

struct cmsghdr {
	uint len;        /* with the header */
	int level, type;
};

#define CMSG_ALIGN(n) (((n) + 3) & ~3u)

struct ucred {
	int pid;
	uint uid, gid;
};

#endif
