/* core.h - the notes of an ELF core file, as Linux i386 writes them. */
#ifndef ABI_CORE_H
#define ABI_CORE_H

#include "kern/abi/ptrace.h"

#define ET_CORE 4
#define PT_NOTE 4

struct notehdr { /* then the name and the data, each padded to 4 bytes */
	uint32_t namesz, descsz, type;
};

#define NT_PRSTATUS 1
#define NT_FPREGSET 2          /* struct fsave */
#define NT_PRPSINFO 3
#define NT_AUXV     6
#define NT_386_TLS  0x200      /* struct user_desc, three */
#define NT_FILE     0x46494c45 /* count, page size; start, end, page of file
                                * of each mapping; then their names */
#define NT_PRXFPREG 0x46e62b7f /* struct fxsave */
#define NT_SIGINFO  0x53494749 /* struct siginfo */

struct coretime {
	uint32_t sec, usec;
};

struct prstatus { /* of one thread */
	int32_t signo, code, errno;
	uint16_t cursig, pad;
	uint32_t sigpend, sighold;
	int32_t pid, ppid, pgrp, sid;
	struct coretime utime, stime, cutime, cstime;
	struct userregs reg;
	uint32_t fpvalid;
};

struct prpsinfo { /* of the process */
	char state, sname, zombie, nice;
	uint32_t flags;
	uint16_t uid, gid;
	int32_t pid, ppid, pgrp, sid;
	char fname[16], psargs[80];
};

_Static_assert(sizeof(struct prstatus) == 144, "prstatus");
_Static_assert(sizeof(struct prpsinfo) == 124, "prpsinfo");

#endif
