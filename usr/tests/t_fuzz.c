/*
 * t_fuzz.c - random system calls, plausible and hostile.  Only for Quire:
 * `t fuzz` runs a few seconds with fixed seeds; `FUZZ=SEED,SECONDS t fuzz` goes
 * on for as long as is wanted.
 *
 * Several children at a time, in a root of their own that holds a file of each
 * kind, make random calls while signals fly; each ends by itself or is killed,
 * and must be gone soon after.  The kernel must live, /proc/vmcheck must find
 * nothing after each round, and all memory must come back (run.c compares).
 */
#include "t.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/uio.h>

#define CHILDREN 6   /* at once */
#define CALLS    400 /* of one child */
#define LIFE     400 /* ms; then it is killed */
#define PATIENCE 20000 /* ms for a killed child to be gone */
#define ARENA    32  /* pages */

/*
 * What an argument is like.  f descriptor; d directory descriptor or AT_FDCWD;
 * p path; b memory; n size; i small number; w any number; x bits; o offset;
 * s signal; P process; G group; t time (memory); v iovec; a sigaction; m page
 * of the arena; l length in pages; c ioctl; F fcntl command; y argv; u
 * user_desc; q poll list; r resource; e epoll-like small count; W wait options;
 * S address of a socket; h msghdr; D socket domain, type, or a socketcall;
 * M mmap flags; O open flags; k mode; C clone flags; H futex op; U rusage who;
 * A aligned word; R robust list head; E epoll_event; L signal set; I interval
 * and time; X request of ptrace; Z sigevent; N struct clone_args; Y small
 * limits; T id of a timer.
 */
static const struct call {
	short nr;
	const char *args;
} calls[] = {
	{0, ""}, {2, ""}, {3, "fbn"}, {4, "fbn"}, {5, "pOk"}, {6, "f"},
	{7, "PbW"}, {8, "pk"}, {9, "pp"}, {10, "p"}, {11, "pyy"}, {12, "p"},
	{13, "b"}, {14, "pxi"}, {15, "pk"}, {16, "pii"}, {19, "foi"}, {20, ""},
	{21, "ppgxb"}, {22, "p"}, {23, "i"}, {24, ""}, {27, "i"}, {29, ""},
	{30, "pb"}, {33, "pi"}, {34, "i"}, {36, ""}, {37, "Ps"}, {38, "pp"},
	{39, "pk"}, {40, "p"}, {41, "f"}, {42, "b"}, {43, "b"}, {45, "w"},
	{46, "i"}, {48, "sw"}, {52, "px"}, {54, "fcb"}, {55, "fFb"}, {57, "PG"},
	{60, "k"}, {61, "p"}, {63, "ff"}, {64, ""}, {65, ""}, {66, ""},
	{67, "sab"}, {70, "ii"}, {71, "ii"}, {72, "wwx"}, {73, "b"},
	{75, "rb"}, {76, "rb"}, {77, "Ub"}, {78, "bb"}, {80, "ib"}, {81, "ib"},
	{82, "b"}, {83, "pp"}, {85, "pbn"}, {90, "b"}, {91, "ml"}, {92, "po"},
	{93, "fo"}, {94, "fk"}, {95, "fii"}, {96, "iP"}, {97, "iPi"},
	{99, "pb"}, {100, "fb"}, {103, "ibn"}, {104, "itb"}, {105, "ib"},
	{106, "pb"}, {107, "pb"}, {108, "fb"}, {114, "PbWb"}, {116, "b"},
	{118, "f"}, {119, ""}, {120, "Cbbub"}, {122, "b"}, {125, "mlx"},
	{126, "ibb"}, {132, "P"}, {133, "f"}, {136, "w"}, {138, "i"},
	{140, "fiobi"}, {141, "fbn"}, {142, "ebbbt"}, {143, "fx"},
	{144, "mlx"}, {145, "fve"}, {146, "fve"}, {147, "P"}, {148, "f"},
	{154, "Pb"}, {155, "Pb"}, {156, "Pib"}, {157, "P"}, {158, ""},
	{159, "i"}, {160, "i"}, {161, "Pb"}, {162, "tb"}, {163, "mllxm"},
	{164, "iii"}, {165, "bbb"}, {168, "qei"}, {170, "iii"}, {171, "bbb"},
	{172, "xwwww"}, {173, ""}, {174, "sabi"}, {175, "ibbi"}, {176, "bi"},
	{177, "bbti"}, {178, "Psb"}, {179, "bi"}, {180, "fbno"}, {181, "fbno"},
	{182, "pii"}, {183, "bn"}, {184, "bb"}, {185, "bb"}, {186, "bb"},
	{187, "ffbn"}, {190, ""}, {191, "rb"}, {192, "mlxMfi"}, {193, "po"},
	{194, "fo"}, {195, "pb"}, {196, "pb"}, {197, "fb"}, {198, "pii"},
	{199, ""}, {203, "ii"}, {205, "ib"}, {206, "ib"}, {207, "fii"},
	{208, "iii"}, {209, "bbb"}, {210, "iii"}, {211, "bbb"}, {212, "pii"},
	{213, "i"}, {214, "i"}, {215, "i"}, {216, "i"}, {218, "mlb"},
	{219, "mli"}, {220, "fbn"}, {221, "fFb"}, {224, ""}, {226, "ppbni"},
	{229, "ppbn"}, {231, "fpbn"}, {232, "pbn"}, {238, "Ps"},
	{239, "ffbn"}, {240, "bHitbi"}, {241, "Pnb"}, {242, "Pnb"}, {243, "u"},
	{244, "u"}, {250, "fooi"}, {252, "i"}, {254, "i"},
	{255, "fifb"}, {256, "fbei"}, {258, "b"}, {265, "ib"},
	{266, "ib"}, {267, "iitb"}, {268, "pnb"}, {269, "fnb"}, {270, "PPs"},
	{271, "pb"}, {272, "fooooi"}, {284, "iPbWb"}, {295, "dpOk"},
	{296, "dpk"}, {297, "dpxi"}, {298, "dpiix"}, {299, "dpb"},
	{300, "dpbx"}, {301, "dpx"}, {302, "dpdp"}, {303, "dpdpx"},
	{304, "pdp"}, {305, "dpbn"}, {306, "dpk"}, {307, "dpix"},
	{308, "ebbbtb"}, {309, "qetbi"}, {311, "bn"}, {312, "Pbb"},
	{318, "bbb"}, {319, "fbeibi"},
	{320, "dptx"}, {321, "fbi"}, {322, "ix"}, {323, "i"}, {325, "fxbb"},
	{326, "fb"}, {327, "fbix"}, {324, "fxoo"},
	{328, "ix"}, {329, "x"}, {330, "ffx"},
	{331, "bx"}, {333, "fveoo"}, {334, "fveoo"}, {340, "Prbb"}, {344, "f"},
	{353, "dpdpx"}, {355, "bnx"}, {377, "fbfbnx"}, {383, "dpxxb"},
	{403, "ib"}, {407, "iitb"}, {412, "dptx"}, {413, "ebbbtb"},
	{414, "qetbi"}, {422, "bHitbi"}, {423, "Pb"}, {436, "ffx"},
	{102, "Db"}, {102, "Dh"}, {337, "fhixt"}, {345, "fhix"}, {359, "DDi"},
	{360, "DDib"}, {360, "DDib"}, {361, "fSn"}, {362, "fSi"}, {363, "fi"},
	{364, "fbbi"}, {365, "fDibb"}, {366, "fDibi"}, {367, "fbb"},
	{368, "fbb"}, {369, "fbnxSn"}, {370, "fhx"}, {371, "fbnxbb"},
	{372, "fhx"}, {373, "fi"}, {370, "fhi"}, {372, "fhi"}, {439, "dpix"},
	{441, "fbetbi"},
	{240, "AHitAi"}, {240, "AHitAi"}, {240, "AHiiAi"}, {422, "AHitAi"},
	{258, "A"}, {259, "iZb"}, {259, "iZb"}, {259, "ibb"}, {260, "TiIb"},
	{260, "TiIb"}, {261, "Tb"}, {262, "T"}, {263, "T"}, {408, "Tb"},
	{409, "TiIb"}, {104, "iIb"}, {311, "Ri"}, {311, "Ri"}, {325, "fiIb"},
	{410, "fb"}, {411, "fiIb"}, {322, "ii"}, {255, "fifE"}, {255, "fifE"},
	{255, "fifE"}, {256, "fbei"}, {329, "i"}, {321, "fLi"}, {327, "fLix"},
	{328, "ii"}, {175, "iLbi"}, {179, "Li"}, {177, "Lbti"}, {421, "Lbti"},
	{186, "vb"}, {335, "PPsb"}, {435, "Ni"}, {435, "Ni"}, {75, "rY"},
	{340, "PrYb"}, {417, "fhixt"}, {404, "ib"}, {406, "ib"}, {235, "pp"},
	{236, "pp"}, {237, "fp"}, {121, "pi"}, {88, "iii"}, {6, "f"},
	{63, "ff"},
	{91, "ml"}, {125, "mlx"}, {163, "mllxm"}, {219, "mli"}, {11, "pyy"},
	{360, "iiib"}, {360, "DDib"}, {370, "fhi"}, {372, "fhi"},
	{26, "XPbb"}, {26, "XPoi"}, {26, "XPib"}, {26, "XPbi"}, {26, "XPii"},
	{347, "Pvivi"}, {348, "Pvivi"}, {358, "dpyyx"},
};

static const char *const paths[] = {
	"a", "b", "dir", "dir/x", "dir/sub", "dir/sub/y", "link", "loop",
	"fifo", "big", "script", "elf", "prog", ".", "..", "/", "", "dir/",
	"a/b", "loop/x", "link/../a", "//a//", "new1", "new2", "dir/new3",
	"dev/null", "dev/zero", "dev/full", "dev/random", "dev/tty",
	"dev/tty0", "dev/kmsg", "dev/mem", "dev/ptmx", "dev", "proc",
	"proc/self", "proc/self/maps", "proc/self/stat", "proc/self/fd",
	"proc/self/fd/3", "proc/self/fd/4", /* not exe: we run it */
	"proc/self/cmdline", "proc/self/environ", "proc/self/status",
	"proc/self/root", "proc/self/cwd", "proc/self/task", "proc/1/fd/0",
	"proc/1/maps", "proc/self/fdinfo", "proc/meminfo",
	"proc/mounts", "proc/sys", "proc/vmstat", "proc/99999",
	"proc/sys/kernel/hostname", "proc/self/mem", "proc/self/statm",
	"/proc/self/fd/5", "/proc/self/fd/6/x", "proc/self/smaps",
};

static char *arena, *strings;
static int first; /* pids below are not ours to harm */

static long call(int nr, const long *a);
static void newthread(unsigned seed);
static void live(unsigned seed, int depth);

static void
handler(int sig)
{
	(void)sig;
}

/* Memory has gone: get it back, a few times. */
static void
remap(int sig)
{
	static int n;

	if (++n > 20)
		int80(SYS_exit, sig, 0, 0);
	mmap(arena, ARENA * PG, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static long
someaddr(void)
{
	switch (rnd() % 12) {
	case 0:
		return 0;
	case 1:
		return (long)arena + ARENA * PG - 1 - rnd() % 64;
	case 2:
		return 0x80000000 + (rnd() & 0x1ffffff);
	case 3:
		return 0xffffff00 + (rnd() & 0xff);
	case 4:
		return rnd();
	case 5:
		return 0x7ffffff0 + rnd() % 64;
	case 6:
		return 0x08048000 + rnd() % 0x4000;
	default:
		return (long)arena + rnd() % (ARENA * PG);
	}
}

static long
someword(void)
{
	switch (rnd() % 8) {
	case 0:
		return -1 - (rnd() & 3);
	case 1:
		return 0x7fffffff - (rnd() & 1) * 4095;
	case 2:
		return 0x80000000 + (rnd() & 1);
	case 3:
		return 1u << (rnd() & 31);
	case 4:
		return rnd();
	default:
		return rnd() % 32;
	}
}

static long
somepid(void)
{
	switch (rnd() % 6) {
	case 0:
		return 0;
	case 1:
		return getpid();
	case 2:
		return 0x7fffffff;
	default:
		return first + 1 + rnd() % 40;
	}
}

/* Memory in the arena that holds what the letter says. */
static long
filled(char kind)
{
	char *p = arena + rnd() % (ARENA - 1) * PG + (rnd() & 0xff8);
	uint32_t *w = (uint32_t *)p;
	int i;

	for (i = 0; i < 24; i++) {
		switch (kind) {
		case 't':
			w[i] = i == 0 || i == 4 ? 0 : rnd() % 3000000;
			break;
		case 'v':
			w[i] = i & 1 ? rnd() % 3000 : (uint32_t)someaddr();
			break;
		case 'a':
			w[i] = i == 0 ? rnd() % 3 : rnd();
			break;
		case 'u':
			w[i] = i == 0 ? (rnd() & 1 ? -1u : 5 + rnd() % 6)
				      : rnd() & rnd();
			break;
		case 'S': /* AF_UNIX; few names, with a zero in front or not */
			w[i] = i == 0 ? 1 | (rnd() & 1 ? 'n' << 16 : 0) :
				i == 1 ? 'a' + rnd() % 3 : 0;
			break;
		case 'h': /* iovec, one control message of descriptors */
			w[i] = i == 0 ? (rnd() % 4 ? 0 :
					(uint32_t)filled('S')) :
				i == 1 ? 6 + rnd() % 3 :
				i == 2 ? (uint32_t)filled('v') :
				i == 3 ? rnd() % 4 :
				i == 4 ? (uint32_t)(w + 8) :
				i == 5 ? rnd() % 60 :
				i == 8 ? 12 + rnd() % 4 * 4 : i == 9 ? 1 :
				i == 10 ? 1 + rnd() % 2 : rnd() % 24;
			break;
		case 'q':
			w[i] = i & 1 ? rnd() : rnd() % 24;
			break;
		case 'R': /* links lead here, or to another, or nowhere */
			w[i] = i == 1 ? rnd() % 16 * 4 : rnd() % 3
				? (uint32_t)(w + rnd() % 24) | (rnd() % 8 == 0)
				: (uint32_t)someaddr();
			break;
		case 'E':
			w[i] = i == 0 ? rnd() & rnd() : rnd();
			break;
		case 'L':
			w[i] = i > 1 ? 0 : rnd() & rnd();
			break;
		case 'I':
			w[i] = rnd() % 3 == 0 ? (uint32_t)someword() :
				i % 2 ? rnd() % 1000000000 : rnd() % 2;
			break;
		case 'Z':
			w[i] = i == 1 ? rnd() % 66 : i == 2 ? rnd() % 5 :
				i == 3 ? (uint32_t)somepid() : rnd();
			break;
		case 'N': /* flags; ...; signal; stack and its size */
			w[i] = i == 0 ? rnd() & rnd() & ~CLONE_VM : i == 8 ?
				SIGCHLD : i & 1 || i >= 10 ? 0 :
				(uint32_t)someaddr();
			break;
		case 'Y':
			w[i] = rnd() % 4 ? rnd() % 64 : 1u << (rnd() & 31);
			break;
		case 'y':
			w[i] = i == 0 ? (uint32_t)strings
				: i == 1 ? (uint32_t)strings + 2
				: i == 2 || rnd() % 3 == 0 ? 0
				: (uint32_t)someaddr();
			break;
		}
	}
	return (long)p;
}

static const int ioctls[] = {0x5401, 0x5402, 0x5403, 0x5404, 0x5405, 0x5406,
	0x5407, 0x5408, 0x5409, 0x540a, 0x540b, 0x540c, 0x540d, 0x540e, 0x540f,
	0x5410, 0x5411, 0x5412, 0x5413, 0x5414, 0x541b, 0x541d, 0x5420, 0x5421,
	0x5422, 0x5423, 0x5424, 0x5425, 0x5427, 0x5428, 0x5429, 0x542a, 0x542b,
	0x5430, 0x5431, 0x5450, 0x5451, 0x5452, 0x4b33, 0x4b3a, 0x4b3b, 0x4b44,
	0x4b45, 0x5600, 0x5601, 0x5603, 0x5606, 0x5607};

static long
argument(char kind)
{
	if (rnd() % 12 == 0)
		return rnd() & 1 ? someaddr() : someword();
	switch (kind) {
	case 'f':
		return rnd() % 24;
	case 'd':
		return rnd() % 3 ? AT_FDCWD : (int)(rnd() % 24);
	case 'p':
	case 'g':
		return (long)(kind == 'g' && rnd() & 1
				? (rnd() & 1 ? "proc" : "devtmpfs")
				: paths[rnd() % NUM(paths)]);
	case 'b':
		return someaddr();
	case 'n':
		return rnd() & 3 ? (long)(rnd() % 9000) : someword();
	case 'i':
	case 'U':
		return (int)(rnd() % 12) - 2;
	case 'x':
	case 'O':
	case 'k':
	case 'M':
		return (kind == 'M' && rnd() & 3 ? MAP_ANONYMOUS : 0) |
			(rnd() & rnd() & rnd()) >> rnd() % 28;
	case 'o':
		return rnd() % 3 ? (long)(rnd() % 20000) : someword();
	case 's':
		return rnd() % 66;
	case 'P':
	case 'G':
		return somepid();
	case 'X':
		return rnd() % 3 ? (int)(rnd() % 34) :
			0x4200 + (int)(rnd() % 16);
	case 'm':
		return (long)arena + rnd() % ARENA * PG;
	case 'l':
		return rnd() % 5 * PG;
	case 'c':
		return ioctls[rnd() % NUM(ioctls)];
	case 'F':
		return rnd() % 10 ? rnd() % 17 : 1024 + rnd() % 16;
	case 'r':
		return rnd() % 17;
	case 'e':
		return rnd() % 13;
	case 'W':
		return rnd() % 3 ? WNOHANG : (int)(rnd() & 0xf);
	case 'C':
		return SIGCHLD | (rnd() & rnd() & ~CLONE_VM & ~CLONE_PARENT);
	case 'H':
		return rnd() % 14 | (rnd() & 0x180);
	case 'A':
		return (long)arena + rnd() % 4 * 4;
	case 'T':
		return rnd() % 8;
	case 'D':
		return rnd() % 4 ? 1 : (rnd() % 21) | (rnd() & 04000);
	case 'S':
	case 'h':
	case 't':
	case 'v':
	case 'a':
	case 'u':
	case 'q':
	case 'y':
	case 'R':
	case 'E':
	case 'L':
	case 'I':
	case 'Z':
	case 'N':
	case 'Y':
		return filled(kind);
	}
	return someword();
}

/* A call that would harm those who watch us, or the clock. */
static int
harmful(int nr, const long *a)
{
	switch (nr) {
	case SYS_kill:
	case SYS_tkill:
	case SYS_rt_sigqueueinfo:
	case SYS_tgkill:
	case SYS_process_vm_writev:
		return (a[0] != 0 && a[0] <= first);
	case SYS_setpriority:
		return a[0] != 0 || (a[1] != 0 && a[1] <= first);
	case SYS_rt_tgsigqueueinfo:
	case SYS_prlimit64:
	case SYS_setpgid:
	case SYS_sched_setscheduler:
	case SYS_sched_setparam:
		return a[0] != 0 && a[0] <= first;
	case SYS_mount: /* what is read-only stays */
		return (a[3] & MS_REMOUNT) != 0;
	case SYS_reboot:
	case SYS_clock_settime64:
		return 1;
	case SYS_ptrace: /* other registers: any call */
		if (a[0] == PTRACE_SETREGS || a[0] == PTRACE_SETREGSET ||
			(a[0] == PTRACE_POKEUSER && a[2] < 252))
			return 1;
		return a[0] == 0 ? getppid() <= first : a[1] <= first;
	case SYS_ioctl: /* the console's session is not ours, nor its output */
		return (a[1] == TIOCSCTTY && a[2] == 1) || a[1] == TCXONC;
	}
	return 0;
}

static void
prepare(unsigned seed)
{
	struct sigaction act;
	struct itimerval it = {{0, 7000}, {0, 7000}};
	stack_t ss = {.ss_size = 4 * PG};
	int i, fd[2];

	srnd(seed * 2654435761u + 1);
	setpgid(0, 0);
	arena = mmap(0, ARENA * PG, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	strings = mmap(0, PG, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ss.ss_sp = mmap(0, 4 * PG, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (arena == MAP_FAILED || strings == MAP_FAILED)
		_exit(0);
	strcpy(strings, "t");
	strcpy(strings + 2, "--exit");
	for (i = 0; i < ARENA * PG / 4; i += 1 + rnd() % 16)
		((uint32_t *)arena)[i] = someword();
	sigaltstack(&ss, 0);
	memset(&act, 0, sizeof act);
	for (i = 1; i <= 64; i++) {
		act.sa_handler = rnd() % 16 == 0 ? SIG_DFL
			: i == SIGSEGV || i == SIGBUS ? remap
			: rnd() % 4 ? handler : SIG_IGN;
		act.sa_flags = rnd() & (SA_RESTART | SA_ONSTACK | SA_SIGINFO |
			SA_NODEFER | SA_NOCLDWAIT);
		if (i == SIGSEGV || i == SIGBUS)
			act.sa_flags = SA_ONSTACK;
		if (i != SIGALRM || rnd() % 8)
			sigaction(i, &act, 0);
	}
	for (i = 3; i < 14; i++)
		if (pipe2(fd, rnd() & 1 ? O_NONBLOCK : 0) < 0 || fd[1] > 8)
			break;
	for (i = 0; i < 12; i++)
		open(paths[rnd() % NUM(paths)],
			O_RDWR | O_NONBLOCK | (rnd() & 1 ? O_CREAT : 0), 0666);
	for (i = 0; i < 6; i++)
		open(paths[rnd() % NUM(paths)], O_RDONLY | O_NONBLOCK);
	if (rnd() % 3 == 0 && setgid(1000) == 0)
		setuid(1000);
	setitimer(ITIMER_REAL, &it, 0);
	for (i = seed % 5; i > 0; i--)
		newthread(rnd());
}

static int
thread(void *seed)
{
	live((unsigned)seed, 2);
	return 0;
}

/* A thread, or a process with our memory: most share the table of descriptors
 * and die together. */
static void
newthread(unsigned seed)
{
	static const int also[] = {CLONE_FILES, CLONE_FILES, CLONE_FS,
		CLONE_SIGHAND, CLONE_SIGHAND | CLONE_THREAD,
		CLONE_SIGHAND | CLONE_THREAD, CLONE_SIGHAND | CLONE_THREAD,
		CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID, CLONE_SYSVSEM,
		CLONE_CHILD_SETTID};
	int i, flags = CLONE_VM;
	char *stack;

	for (i = 0; i < NUM(also); i++)
		if (rnd() & 1)
			flags |= also[i];
	if (!(flags & CLONE_THREAD))
		flags |= SIGCHLD | (rnd() % 4 ? 0 : CLONE_VFORK);
	stack = mmap(0, 4 * PG, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack != MAP_FAILED)
		clone(thread, stack + 4 * PG, flags, (void *)seed,
			arena + rnd() % 4 * 4, 0, arena + rnd() % 4 * 4);
}

/* A child that shares some of what we have, or all: 0 in the child. */
static long
forkchild(unsigned seed)
{
	int flags = rnd() & (CLONE_FILES | CLONE_FS) & rnd();

	if (rnd() % 3)
		return int80(SYS_clone, SIGCHLD | flags |
			(rnd() % 4 ? 0 : CLONE_VFORK), 0, 0);
	newthread(seed);
	return -1;
}

/* One life: what it does depends on the seed and on who disturbs it. */
static void
live(unsigned seed, int depth)
{
	const struct call *c;
	long a[6];
	int i, j, pid;

	for (i = 0; i < CALLS; i++) {
		c = &calls[rnd() % NUM(calls)];
		if (c->nr == SYS_exit_group && rnd() % 16)
			continue;
		if ((c->nr == 119 || c->nr == 173) && rnd() % 8)
			continue;
		for (j = 0; j < 6; j++)
			a[j] = j < (int)strlen(c->args) ? argument(c->args[j])
							: someword();
		if (harmful(c->nr, a))
			continue;
		if (c->nr == SYS_fork) {
			pid = depth < 2 ? forkchild(seed + i) : -1;
			if (pid == 0) {
				srnd(seed += i + 77);
				depth++;
			}
			continue;
		}
		call(c->nr, a);
	}
	int80(SYS_exit, 0, 0, 0);
}

/* Make a call; a child of clone or vfork gives up the CPU and ends. */
static long
call(int nr, const long *a)
{
	long frame[6] = {nr, a[1], a[2], a[3], a[4], a[5]}, r;

	__asm__ volatile("push %%ebp\n\t"
			 "push %%ebx\n\t"
			 "mov 4(%%eax), %%ecx\n\t"
			 "mov 8(%%eax), %%edx\n\t"
			 "mov 12(%%eax), %%esi\n\t"
			 "mov 16(%%eax), %%edi\n\t"
			 "mov 20(%%eax), %%ebp\n\t"
			 "mov (%%eax), %%eax\n\t"
			 "cmp $120, %%eax\n\t"
			 "je 1f\n\t"
			 "cmp $190, %%eax\n\t"
			 "je 1f\n\t"
			 "cmp $435, %%eax\n\t"
			 "je 1f\n\t"
			 "int $0x80\n\t"
			 "jmp 2f\n"
			 "1:\tint $0x80\n\t"
			 "test %%eax, %%eax\n\t"
			 "jnz 2f\n\t"
			 "mov $158, %%eax\n\t"
			 "int $0x80\n\t"
			 "mov $1, %%eax\n\t"
			 "int $0x80\n"
			 "2:\tpop %%ebx\n\t"
			 "pop %%ebp"
			 : "=a"(r)
			 : "0"(frame), "b"(a[0])
			 : "ecx", "edx", "esi", "edi", "memory");
	return r;
}

static void
makefile(const char *name, int mode, const char *text, int n)
{
	int fd = open(name, O_WRONLY | O_CREAT, mode);

	if (fd >= 0 && write(fd, text, n) < 0)
		check(errno == ENOSPC || errno == ENOMEM);
	close(fd);
}

/* A root to play in, and a file of each kind. */
static void
playground(void)
{
	static const struct {
		const char *name;
		int major, minor;
	} devs[] = {{"dev/null", 1, 3}, {"dev/zero", 1, 5}, {"dev/full", 1, 7},
		{"dev/random", 1, 8}, {"dev/mem", 1, 1}, {"dev/kmsg", 1, 11},
		{"dev/tty", 5, 0}, {"dev/tty0", 4, 0}, {"dev/ptmx", 5, 2}};
	static char big[20000];
	int i;

	must(mkdir("fuzz", 0777) == 0);
	must(chdir("fuzz") == 0);
	check(system("cp /bin/vmmap prog") == 0);
	chmod(".", 0777);
	mkdir("dir", 0777);
	mkdir("dir/sub", 0777);
	mkdir("proc", 0755);
	mkdir("dev", 0755);
	must(mount("proc", "proc", "proc", 0, 0) == 0);
	for (i = 0; i < NUM(devs); i++)
		mknod(devs[i].name, S_IFCHR | 0666,
			makedev(devs[i].major, devs[i].minor));
	(void)!symlink("a", "link");
	(void)!symlink("loop", "loop");
	mknod("fifo", S_IFIFO | 0666, 0);
	makefile("a", 0666, "hello\n", 6);
	makefile("dir/x", 0755, "#!/b\n", 5);
	makefile("dir/sub/y", 0600, "", 0);
	makefile("big", 0666, big, sizeof big);
	makefile("script", 0755, "#! prog --exit\n", 15);
	makefile("elf", 0755, "\177ELF\1\1\1", 7);
}

/* A directory and all in it, without asking what it is. */
static void
removeall(const char *dir)
{
	struct dirent *e;
	DIR *d;

	must(chdir(dir) == 0);
	d = opendir(".");
	must(d);
	while ((e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlink(e->d_name) < 0 && errno == EISDIR)
			removeall(e->d_name);
	}
	closedir(d);
	must(chdir("..") == 0);
	if (rmdir(dir) < 0) {
		failed(__FILE__, __LINE__, "%s: %s", dir, strerror(errno));
		(void)!system("cat /proc/mounts; ls -la; ls -la *");
		finish();
	}
}

/* Unmount what they mounted, and remove what they made. */
static void
cleanup(void)
{
	char line[512], dir[256];
	FILE *f;
	int again = 1;

	while (again) {
		again = 0;
		f = fopen("/proc/mounts", "r");
		must(f);
		while (fgets(line, sizeof line, f))
			if (sscanf(line, "%*s %255s", dir) == 1 &&
				strncmp(dir, "/tmp/fuzz", 9) == 0)
				again |= umount2(dir, MNT_DETACH) == 0;
		fclose(f);
	}
	removeall("/tmp/fuzz");
}

/* Processes that came after us and are left: kill them; how many there are. */
static int
strays(void)
{
	int pid, n = 0;

	for (pid = first + 1; pid < 32768; pid++) {
		if (kill(pid, SIGKILL) == 0)
			n++;
		else if (pid > first + 2000 && pid % 8)
			continue;
	}
	while (waitpid(-1, 0, WNOHANG) > 0)
		;
	return n;
}

/* Have memory run out, again and again. */
static void
hog(void)
{
	char *p;
	int i;

	for (;; waitpid(-1, 0, 0)) {
		if (fork() != 0)
			continue;
		p = mmap(0, 256 << 20, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		for (i = 0; p != MAP_FAILED && i < 256 << 20; i += PG)
			p[i] = 1;
		_exit(0);
	}
}

static void
oneround(unsigned seed)
{
	int i, n, fd, s[2], pid[CHILDREN];
	long long end;

	first = getpid();
	for (i = 0; i < CHILDREN; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			fd = open("/dev/null", O_RDWR);
			(void)fd;
			if (chroot(".") < 0)
				_exit(1);
			close(0);
			close(1);
			close(2);
			(void)!socketpair(AF_UNIX, seed & 1 ? SOCK_STREAM :
				SOCK_DGRAM, 0, s);
			prepare(seed * CHILDREN + i);
			live(seed * CHILDREN + i, 0);
		}
	}
	if (seed % 4 == 3 && fork() == 0)
		hog();
	srnd(seed + 1);
	end = nowms() + LIFE;
	while (nowms() < end) {
		i = rnd() % CHILDREN;
		if (pid[i] > 0)
			kill(pid[i], rnd() % 8 ? rnd() % 65 : SIGCONT);
		msleep(1 + rnd() % 10);
		while (waitpid(-1, 0, WNOHANG) > 0)
			;
	}
	end = nowms() + PATIENCE;
	while ((n = strays()) > 0 && nowms() < end)
		msleep(5);
	checkeq(n, 0);
}

static void
vmchecked(void)
{
	char buf[1024];
	int fd = open("/proc/vmcheck", O_RDONLY);

	check(fd >= 0 && read(fd, buf, sizeof buf) >= 0);
	close(fd);
}

static void
fuzz(unsigned seed, int seconds)
{
	long long end = nowms() + seconds * 1000;
	unsigned last = seed + 8;

	if (!quire)
		skip("the host is not ours to harm");
	signal(SIGALRM, SIG_DFL); /* run.c's handler ends the test */
	for (; seconds ? nowms() < end : seed < last; seed++) {
		if (seconds)
			dprintf(1, "# seed %u, %ld kB\n", seed, memfree());
		playground();
		oneround(seed);
		must(chdir("/tmp") == 0);
		cleanup();
		vmchecked();
	}
}

static void
fuzz_calls(void)
{
	char *s = getenv("FUZZ");
	unsigned seed = 1, seconds = 0;

	if (s)
		sscanf(s, "%u,%u", &seed, &seconds);
	fuzz(seed, seconds);
}

const struct test t_fuzz[] = {
	T(fuzz_calls),
	{0},
};
