/* wait.h - options of wait4 and waitid, and what a wait status says. */
#ifndef ABI_WAIT_H
#define ABI_WAIT_H

#define WNOHANG    0x00000001
#define WUNTRACED  0x00000002 /* wait4's name for WSTOPPED */
#define WSTOPPED   0x00000002
#define WEXITED    0x00000004
#define WCONTINUED 0x00000008
#define WNOWAIT    0x01000000 /* leave it as it is */

#define __WNOTHREAD 0x20000000
#define __WALL      0x40000000 /* children of any kind */
#define __WCLONE    0x80000000u /* those that do not send SIGCHLD */

#define P_ALL  0
#define P_PID  1
#define P_PGID 2

/* A wait status: exit code in bits 8-15; or a signal in bits 0-6, with
 * WSTATCORE if memory was dumped; or WSTATSTOPPED and the signal in bits 8-15; or
 * WSTATCONT. */
#define WSTATCORE    0x80
#define WSTATSTOPPED 0x7f
#define WSTATCONT    0xffff

#endif
