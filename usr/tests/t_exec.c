/*
 * t_exec.c - what a new program is given, and what is refused.
 *
 * The new program is this one: an argument that begins with "--" makes main()
 * call execmain().
 */
#include "t.h"

#include <elf.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

int execmain(int argc, char **argv);

/* Does the vector begin with argc, and end where envp begins? */
static void
checkvectors(int argc, char **argv)
{
	char **p = argv + argc + 1;
	Elf32_auxv_t *aux;
	int i, n = 0;

	checkeq(argc, 5);
	checkeq(((int *)argv)[-1], argc);
	checkeq((uintptr_t)((int *)argv - 1) & 15, 0);
	check(argv[argc] == 0);
	checkeq(strcmp(argv[2], ""), 0);
	checkeq(strcmp(argv[3], "two words"), 0);
	checkeq(strlen(argv[4]), 5000);
	checkeq((uintptr_t)p, (uintptr_t)environ);
	checkeq(strcmp(p[0], "A=1"), 0);
	checkeq(strcmp(p[1], "EMPTY="), 0);
	check(p[2] == 0);
	aux = (Elf32_auxv_t *)(p + 3);
	for (i = 0; aux[i].a_type != AT_NULL && i < 64; i++)
		n += aux[i].a_type == AT_PHDR || aux[i].a_type == AT_PHNUM ||
			aux[i].a_type == AT_ENTRY || aux[i].a_type == AT_RANDOM;
	checkeq(n, 4);
}

static void
checkauxv(void)
{
	Elf32_Phdr *ph = (Elf32_Phdr *)getauxval(AT_PHDR);
	int i, loads = 0;

	checkeq(getauxval(AT_PAGESZ), PG);
	checkeq(getauxval(AT_PHENT), sizeof *ph);
	checkeq(getauxval(AT_CLKTCK), 100);
	checkeq(getauxval(AT_UID), getuid());
	checkeq(getauxval(AT_SECURE), 0);
	must(ph);
	for (i = 0; i < (int)getauxval(AT_PHNUM); i++)
		loads += ph[i].p_type == PT_LOAD;
	checkrange(loads, 2, 8);
	check(getauxval(AT_RANDOM) != 0);
	must(getauxval(AT_EXECFN) != 0);
	checkeq(strcmp((char *)getauxval(AT_EXECFN), exepath), 0);
}

static void
checkdescriptors(char **argv)
{
	checkerr(fcntl(atoi(argv[2]), F_GETFD), EBADF);
	checkeq(fcntl(atoi(argv[3]), F_GETFD), 0);
}

static void
checksignals(void)
{
	struct sigaction sa;
	sigset_t s;

	sigaction(SIGUSR1, 0, &sa);
	check(sa.sa_handler == SIG_DFL); /* was handled */
	sigaction(SIGUSR2, 0, &sa);
	check(sa.sa_handler == SIG_IGN); /* was ignored */
	sigprocmask(0, 0, &s);
	check(sigismember(&s, SIGALRM)); /* was blocked */
	sigpending(&s);
	check(sigismember(&s, SIGALRM)); /* and had come */
}

static void
checkmemory(void)
{
	static char bss[20 * PG];
	int i, sum = 0;

	for (i = 0; i < NUM(bss); i++)
		sum |= bss[i];
	checkeq(sum, 0);
}

/* Registers and FPU as a new program finds them are seen by _start only; the
 * control words are still there. */
static void
checkfpu(void)
{
	unsigned short cw;
	unsigned csr;

	__asm__ volatile("fnstcw %0\n\tstmxcsr %1" : "=m"(cw), "=m"(csr));
	checkeq(cw, 0x37f);
	checkeq(csr & 0xffc0, 0x1f80);
}

/* More stack than exec_keeps_stack_limit allows. */
static void
deep(void)
{
	volatile char a[2 << 20];
	int i;

	for (i = sizeof a - PG; i >= 0; i -= PG)
		a[i] = 1;
}

/* A timer of timer_create is gone, with what it sent; an alarm goes on. */
static void
checktimers(int id)
{
	char it[16];
	sigset_t s;

	checkerr(syscall(SYS_timer_gettime, id, it), EINVAL);
	checkrange(alarm(0), 90, 100);
	must(sigpending(&s) == 0);
	check(!sigismember(&s, SIGRTMIN));
}

static unsigned long long frames[2];

/* The page frame of the first page of code of what the path ends in, which has
 * been run: 0 if there is none, or we may not know. */
static unsigned long long
textframe(const char *of)
{
	int maps = open("/proc/self/pagemap", O_RDONLY);
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long long e = 0;
	unsigned long start;
	char line[300], perms[8];

	while (maps >= 0 && f && fgets(line, sizeof line, f)) {
		if (sscanf(line, "%lx-%*x %7s", &start, perms) != 2 ||
			strcmp(perms, "r-xp") != 0 || !strstr(line, of))
			continue;
		e = *(volatile char *)start; /* it is there */
		if (pread(maps, &e, 8, start / PG * 8) != 8)
			e = 0;
		e = e >> 63 ? e & ((1ull << 55) - 1) : 0;
		break;
	}
	close(maps);
	fclose(f);
	return e;
}

/* Say where things are, on descriptor 9. */
static int
layout(void)
{
	uintptr_t at[4];

	at[0] = (uintptr_t)environ;
	at[1] = (uintptr_t)mmap(0, PG, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
		-1, 0);
	at[2] = (uintptr_t)sbrk(0);
	at[3] = (uintptr_t)execmain;
	return write(9, at, sizeof at) != sizeof at;
}

int
execmain(int argc, char **argv)
{
	if (strcmp(argv[1], "--hidden") == 0) {
		check(prctl(PR_GET_DUMPABLE) != 1);
		checkerr(open(argv[0], O_RDONLY), EACCES);
		finish();
	}
	if (strcmp(argv[1], "--exit") == 0)
		return 0;
	if (strcmp(argv[1], "--sleep") == 0)
		return pause();
	if (readlink("/proc/self/exe", exepath, 200) < 0)
		return 2;
	if (strcmp(argv[1], "--vectors") == 0) {
		checkvectors(argc, argv);
		checkauxv();
	}
	if (strcmp(argv[1], "--descriptors") == 0)
		checkdescriptors(argv);
	if (strcmp(argv[1], "--signals") == 0)
		checksignals();
	if (strcmp(argv[1], "--memory") == 0) {
		checkmemory();
		checkfpu();
	}
	if (strcmp(argv[1], "--timers") == 0)
		checktimers(atoi(argv[2]));
	if (strcmp(argv[1], "--alone") == 0) {
		checkeq(getpid(), atoi(argv[2]));
		checkeq(gettid(), getpid());
		check(access("/proc/self/task/1", F_OK) < 0);
	}
	if (strcmp(argv[1], "--deep") == 0)
		deep();
	if (strcmp(argv[1], "--rights") == 0) {
		checkeq(geteuid(), atoi(argv[2]));
		checkeq(getegid(), atoi(argv[3]));
		checkeq(getauxval(AT_SECURE), atoi(argv[4]));
		checkeq(getauxval(AT_EUID), geteuid());
		checkeq(prctl(PR_GET_DUMPABLE) == 1, getuid() == geteuid());
	}
	if (strcmp(argv[1], "--layout") == 0)
		return layout();
	if (strcmp(argv[1], "--text") == 0) {
		frames[0] = textframe("/");
		frames[1] = textframe("libc.so.6");
		return write(9, frames, sizeof frames) != sizeof frames;
	}
	if (strcmp(argv[1], "--named") == 0) {
		must(getauxval(AT_EXECFN) != 0);
		checkeq(strcmp((char *)getauxval(AT_EXECFN), argv[2]), 0);
	}
	if (strcmp(argv[1], "--script a b") == 0) {
		checkeq(argc, 5);
		checkeq(strcmp(argv[2], "./t_exec_script"), 0);
		checkeq(strcmp(argv[3], "x"), 0);
		checkeq(strcmp(argv[4], "y z"), 0);
	}
	finish();
}

/* Run this program with these arguments; it complains for itself. */
static void
runself(const char *path, char **argv, char **envp)
{
	int pid = fork();

	must(pid >= 0);
	if (pid == 0) {
		execve(path, argv, envp);
		failed(__FILE__, __LINE__, "execve: %s", strerror(errno));
		finish();
	}
	reaped(pid);
}

static void
exec_vectors(void)
{
	static char longer[5001];
	char *argv[] = {"t", "--vectors", "", "two words", longer, 0};
	char *envp[] = {"A=1", "EMPTY=", 0};

	memset(longer, 'l', 5000);
	runself(exepath, argv, envp);
}

static void
exec_closes_on_exec(void)
{
	char a[8], b[8], *argv[] = {"t", "--descriptors", a, b, 0};
	int fd[2];

	must(pipe(fd) == 0);
	must(fcntl(fd[0], F_SETFD, FD_CLOEXEC) == 0);
	sprintf(a, "%d", fd[0]);
	sprintf(b, "%d", fd[1]);
	runself(exepath, argv, environ);
}

static void
nothing(int sig)
{
	(void)sig;
}

static void
exec_resets_handlers(void)
{
	char *argv[] = {"t", "--signals", 0};
	sigset_t s;
	int pid;

	signal(SIGUSR1, nothing);
	signal(SIGUSR2, SIG_IGN);
	sigemptyset(&s);
	sigaddset(&s, SIGALRM);
	sigprocmask(SIG_BLOCK, &s, 0);
	pid = fork();
	if (pid == 0) {
		raise(SIGALRM);
		execve(exepath, argv, environ);
		_exit(9);
	}
	reaped(pid);
}

static void
exec_starts_clean(void)
{
	char *argv[] = {"t", "--memory", 0};
	unsigned csr = 0x1fa0;
	unsigned short cw = 0x27f;

	__asm__ volatile("fldcw %0\n\tldmxcsr %1\n\tfldpi"
			 :
			 : "m"(cw), "m"(csr));
	runself(exepath, argv, environ);
}

static void
mkfile(const char *path, const char *text, int mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	int n = strlen(text);

	must(fd >= 0);
	must(write(fd, text, n) == n);
	must(close(fd) == 0);
	must(chmod(path, mode) == 0);
}

static void
exec_script(void)
{
	char text[300], *argv[] = {"script", "x", "y z", 0};

	snprintf(text, sizeof text, "#! %s  --script a b \nfoo\n", exepath);
	mkfile("t_exec_script", text, 0755);
	runself("./t_exec_script", argv, environ);
	unlink("t_exec_script");
}

static void
runhidden(void)
{
	char *argv[] = {"./t_exec_hidden", "--hidden", 0};

	must(setuid(99) == 0);
	runself(argv[0], argv, environ);
}

/* Who may not read a program may run it, and gets no core file to read. */
static void
exec_without_reading(void)
{
	int from = open(exepath, O_RDONLY), to;

	if (getuid() != 0)
		skip("not root");
	mkfile("t_exec_hidden", "", 0711);
	to = open("t_exec_hidden", O_WRONLY);
	must(from >= 0 && to >= 0);
	while (sendfile(to, from, 0, 1 << 20) > 0)
		;
	close(to);
	child(runhidden);
	unlink("t_exec_hidden");
}

/* execve that must fail, and leave us as we were. */
static void
refused(const char *path, int err)
{
	char *argv[] = {"t", "--exit", 0};

	errno = 0;
	execve(path, argv, environ);
	if (errno != err)
		failed(__FILE__, __LINE__, "execve %s: %s", path,
			strerror(errno));
}

static void
exec_refusals(void)
{
	static char name[5000];

	mkfile("t_exec_text", "echo no\n", 0755);
	refused("./t_exec_text", ENOEXEC);
	refused("./t_exec_text/x", ENOTDIR);
	mkfile("t_exec_text", "", 0755);
	refused("./t_exec_text", ENOEXEC);
	mkfile("t_exec_text", "#!/no/such/interpreter\n", 0755);
	refused("./t_exec_text", ENOENT);
	mkfile("t_exec_text", "#!\n", 0755);
	refused("./t_exec_text", ENOEXEC);
	mkfile("t_exec_text", "\177ELF", 0755);
	refused("./t_exec_text", ENOEXEC);
	mkfile("t_exec_text", "#!./t_exec_text\n", 0755);
	refused("./t_exec_text", ELOOP);
	mkfile("t_exec_text", "echo no\n", 0644);
	refused("./t_exec_text", EACCES);
	must(unlink("t_exec_text") == 0);
	refused("./t_exec_text", ENOENT);
	refused("/", EACCES);
	refused("", ENOENT);
	memset(name, 'n', sizeof name - 1);
	refused(name, ENAMETOOLONG);
	must(symlink("t_exec_loop", "t_exec_loop") == 0);
	refused("t_exec_loop", ELOOP);
	must(unlink("t_exec_loop") == 0);
}

static void
exec_too_long(void)
{
	static char big[(128 << 10) + 1];
	static char *argv[40], *envp[] = {0};
	int i;

	memset(big, 'b', sizeof big - 1);
	argv[0] = argv[1] = "--exit";
	argv[2] = big; /* with its NUL one more than fits */
	checkerr(execve(exepath, argv, envp), E2BIG);
	for (i = 2; i < 39; i++) /* 37 that fit, but not together */
		argv[i] = big + 2;
	checkerr(execve(exepath, argv, envp), E2BIG);
	argv[12] = 0; /* ten of them do */
	runself(exepath, argv, envp);
}

/* A failed exec must not have cost the memory of the caller. */
static void
exec_failure_keeps_program(void)
{
	char *argv[] = {"t", 0};
	char *p = mmap(0, PG, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int i;

	*p = 3;
	for (i = 0; i < 100; i++)
		checkerr(execve("/dev/null", argv, environ), EACCES);
	checkerr(syscall(SYS_execve, exepath, 8, environ), EFAULT);
	argv[0] = (char *)12;
	checkerr(execve(exepath, argv, environ), EFAULT);
	checkeq(*p, 3);
}

/* The memory of the old program is gone, whatever its size. */
static void
exec_frees_old_memory(void)
{
	char *argv[] = {"t", "--exit", 0};
	int i, pid;

	for (i = 0; i < 10; i++) {
		pid = fork();
		if (pid == 0) {
			char *p = mmap(0, 4096 * PG, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			memset(p, 1, 4096 * PG);
			execve(exepath, argv, environ);
			_exit(1);
		}
		reaped(pid);
	}
}

static void
limited(void)
{
	char *argv[] = {exepath, "--deep", 0};
	struct rlimit rl;

	must(getrlimit(RLIMIT_STACK, &rl) == 0);
	rl.rlim_cur = 1 << 20;
	must(setrlimit(RLIMIT_STACK, &rl) == 0);
	execve(exepath, argv, environ);
	failed(__FILE__, __LINE__, "execve: %s", strerror(errno));
}

static void
exec_keeps_stack_limit(void)
{
	char *argv[] = {exepath, "--deep", 0};

	runself(exepath, argv, environ);
	checkdeath(limited, SIGSEGV);
}

/* Another file with this program in it. */
static void
copyself(const char *path, int mode)
{
	int from = open(exepath, O_RDONLY), to;

	unlink(path);
	to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	must(from >= 0 && to >= 0);
	while (sendfile(to, from, 0, 1 << 20) > 0)
		;
	must(close(to) == 0 && close(from) == 0);
	must(chmod(path, mode) == 0);
}

/* Nobody writes to a program that runs, or runs one that is written. */
static void
exec_busy_text(void)
{
	char *argv[] = {"./t_exec_busy", "--sleep", 0}, *p;
	int pid, fd;

	copyself("t_exec_busy", 0755);
	fd = open("t_exec_busy", O_WRONLY);
	refused("./t_exec_busy", ETXTBSY);
	p = mmap(0, PG, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	check(p == MAP_FAILED); /* not open for reading */
	close(fd);
	pid = vfork();
	if (pid == 0) {
		execv(argv[0], argv);
		_exit(1);
	}
	checkerr(open("t_exec_busy", O_WRONLY), ETXTBSY);
	checkerr(open("t_exec_busy", O_RDWR | O_TRUNC), ETXTBSY);
	checkerr(truncate("t_exec_busy", 0), ETXTBSY);
	fd = open("t_exec_busy", O_RDONLY);
	check(fd >= 0);
	close(fd);
	kill(pid, SIGKILL);
	must(waitpid(pid, 0, 0) == pid);
	fd = open("t_exec_busy", O_RDWR);
	must(fd >= 0);
	close(fd);
	fd = open("t_exec_busy", O_RDONLY); /* a library may be written */
	p = mmap(0, PG, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	must(p != MAP_FAILED);
	close(fd);
	fd = open("t_exec_busy", O_RDWR);
	check(fd >= 0);
	close(fd);
	must(munmap(p, PG) == 0);
	unlink("t_exec_busy");
}

/* Five scripts may lead to one another, and a line is 255 bytes. */
static void
exec_script_limits(void)
{
	char name[20], text[600], *argv[] = {"x", 0};
	int i;

	snprintf(text, sizeof text, "#!%s --exit\n", exepath);
	for (i = 0; i < 6; i++) {
		sprintf(name, "t_exec_s%d", i);
		mkfile(name, text, 0755);
		sprintf(text, "#!./t_exec_s%d\n", i);
	}
	runself("./t_exec_s4", argv, environ);
	refused("./t_exec_s5", ELOOP);
	while (i-- > 0) {
		sprintf(name, "t_exec_s%d", i);
		unlink(name);
	}
	/* too long for the interpreter's name */
	memset(text, '/', sizeof text);
	memcpy(text, "#!", 2);
	strcpy(text + 256 - strlen(exepath), exepath);
	strcat(text, "\n");
	mkfile("t_exec_line", text, 0755);
	refused("./t_exec_line", ENOEXEC);
	mkfile("t_exec_line", "#!/tmp\n", 0755);
	refused("./t_exec_line", EACCES);
	unlink("t_exec_line");
}

static void
at(int fd, const char *path, int flags, const char *name, int err)
{
	char *argv[] = {"t", "--named", (char *)name, 0};
	int pid = fork();

	must(pid >= 0);
	if (pid == 0) {
		syscall(SYS_execveat, fd, path, argv, environ, flags);
		checkeq(errno, err);
		finish();
	}
	reaped(pid);
}

static void
exec_at_descriptor(void)
{
	char name[60], text[300];
	int fd, dir, hidden;

	copyself("t_exec_at", 0755);
	fd = open("t_exec_at", O_PATH | O_CLOEXEC);
	dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(fd >= 0 && dir >= 0);
	sprintf(name, "/dev/fd/%d", fd);
	at(fd, "", AT_EMPTY_PATH, name, 0);
	sprintf(name, "/dev/fd/%d/t_exec_at", dir);
	at(dir, "t_exec_at", 0, name, 0);
	at(AT_FDCWD, "t_exec_at", 0, "t_exec_at", 0);
	at(dir, exepath, 0, exepath, 0);
	at(fd, "", 0, "", ENOENT);
	at(dir, "t_exec_at", 1, "", EINVAL);
	at(dir, "", AT_EMPTY_PATH, "", EACCES);
	at(99, "", AT_EMPTY_PATH, "", EBADF);
	must(symlink("t_exec_at", "t_exec_link") == 0);
	at(dir, "t_exec_link", AT_SYMLINK_NOFOLLOW, "", ELOOP);
	unlink("t_exec_link");
	unlink("t_exec_at");
	snprintf(text, sizeof text, "#!%s --exit\n", exepath);
	mkfile("t_exec_script", text, 0755);
	hidden = open("t_exec_script", O_RDONLY | O_CLOEXEC);
	at(hidden, "", AT_EMPTY_PATH, "", ENOENT); /* sh could not open it */
	unlink("t_exec_script");
}

static char *runwith[] = {"./t_exec_suid", "--rights", "0", "0", "1", 0};

static void
asuser(void)
{
	must(setgid(99) == 0 && setuid(99) == 0);
	runself(runwith[0], runwith, environ);
}

static void
asnewprivs(void)
{
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	asuser();
}

/* Its root and directory may be changed by another process: no rights. */
static void
assharer(void)
{
	int pid;

	must(setgid(99) == 0 && setuid(99) == 0);
	pid = syscall(SYS_clone, CLONE_FS | SIGCHLD, 0, 0, 0, 0);
	must(pid >= 0);
	if (pid == 0) {
		execve(runwith[0], runwith, environ);
		_exit(1);
	}
	reaped(pid);
}

static void
exec_set_ids(void)
{
	if (getuid() != 0)
		skip("not root");
	copyself("t_exec_suid", 06755);
	child(asuser);
	runwith[2] = "99";
	runwith[3] = "99";
	runwith[4] = "0";
	child(asnewprivs);
	runwith[4] = "1"; /* but libc is told that it is not safe */
	child(assharer);
	runwith[4] = "0";
	/* no x for the group: no set-id */
	must(chmod("t_exec_suid", 02745) == 0);
	child(asuser);
	unlink("t_exec_suid");
}

/* What the program, run with this argument, writes to descriptor 9: was it n
 * bytes? */
static int
told(char *how, unsigned persona, void *to, int size)
{
	char *argv[] = {"t", how, 0};
	int fd[2], pid, n;

	must(pipe(fd) == 0);
	pid = fork();
	if (pid == 0) {
		personality(persona);
		dup2(fd[1], 9);
		execve(exepath, argv, environ);
		_exit(1);
	}
	close(fd[1]);
	n = read(fd[0], to, size);
	close(fd[0]);
	reaped(pid);
	return n == size;
}

static int
layouts(unsigned persona, uintptr_t to[4])
{
	return told("--layout", persona, to, 4 * sizeof *to);
}

/* Two programs of one file, and of one library, run the same pages. */
static void
exec_shares_text(void)
{
	unsigned long long first[2], next[2];

	must(told("--text", 0, first, sizeof first));
	must(told("--text", 0, next, sizeof next));
	if (first[0] == 0)
		skip("page frames are secret");
	checkeq(first[0], next[0]);
	checkeq(first[1], next[1]);
}

/* Stack, mappings and heap are elsewhere each time, unless that is not
 * wanted. */
static void
exec_layout_is_random(void)
{
	uintptr_t first[4], next[4];
	int i, k, other[4] = {0};

	must(layouts(0, first));
	for (i = 0; i < 10; i++) {
		must(layouts(0, next));
		for (k = 0; k < 4; k++)
			other[k] += next[k] != first[k];
	}
	for (k = 0; k < 3; k++)
		checkrange(other[k], 5, 10);
	must(layouts(ADDR_NO_RANDOMIZE, first));
	for (i = 0; i < 3; i++) {
		must(layouts(ADDR_NO_RANDOMIZE, next));
		for (k = 0; k < 4; k++)
			checkeq(next[k], first[k]);
	}
}

static void
killedchild(void)
{
	int pid = vfork();

	if (pid == 0) {
		raise(SIGKILL);
		_exit(0);
	}
	must(pid > 0);
	must(waitpid(pid, &pid, 0) > 0);
	checkeq(pid, SIGKILL);
}

static void
exec_vfork_child_killed(void)
{
	child(killedchild);
}

const struct test t_exec[] = {
	T(exec_busy_text),
	T(exec_script_limits),
	T(exec_at_descriptor),
	T(exec_set_ids),
	T(exec_layout_is_random),
	T(exec_shares_text),
	T(exec_vfork_child_killed),
	T(exec_vectors),
	T(exec_closes_on_exec),
	T(exec_resets_handlers),
	T(exec_starts_clean),
	T(exec_script),
	T(exec_without_reading),
	T(exec_refusals),
	T(exec_too_long),
	T(exec_failure_keeps_program),
	T(exec_frees_old_memory),
	T(exec_keeps_stack_limit),
	{0},
};
