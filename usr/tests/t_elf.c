/*
 * t_elf.c - programs with damaged headers.
 *
 * A program of 3 headers and a few instructions is damaged at random in its
 * headers and run.  Whatever comes of it, execve returns an error or the child
 * ends within a second.
 */
#include "t.h"

#include <elf.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#define BASE   0x08048000
#define ROUNDS 600

static struct {
	Elf32_Ehdr eh;
	Elf32_Phdr ph[2];
	unsigned char code[16];
	char filler[PG];
} prog, copy;

/* exit(42) */
static const unsigned char code[] = {0xb8, 1, 0, 0, 0, 0xbb, 42, 0, 0, 0, 0xcd,
	0x80};

static void
build(void)
{
	unsigned at = offsetof(__typeof__(prog), code);

	memset(&prog, 0, sizeof prog);
	memcpy(prog.eh.e_ident, ELFMAG, SELFMAG);
	prog.eh.e_ident[EI_CLASS] = ELFCLASS32;
	prog.eh.e_ident[EI_DATA] = ELFDATA2LSB;
	prog.eh.e_ident[EI_VERSION] = EV_CURRENT;
	prog.eh.e_type = ET_EXEC;
	prog.eh.e_machine = EM_386;
	prog.eh.e_version = EV_CURRENT;
	prog.eh.e_entry = BASE + at;
	prog.eh.e_phoff = sizeof prog.eh;
	prog.eh.e_ehsize = sizeof prog.eh;
	prog.eh.e_phentsize = sizeof prog.ph[0];
	prog.eh.e_phnum = 2;
	prog.ph[0] = (Elf32_Phdr){PT_LOAD, 0, BASE, BASE, sizeof prog,
		sizeof prog, PF_R | PF_X, PG};
	prog.ph[1] = (Elf32_Phdr){PT_LOAD, 100, BASE + 0x10000 + 100,
		BASE + 0x10000 + 100, 200, 9000, PF_R | PF_W, PG};
	memcpy(prog.code, code, sizeof code);
}

/* The wait status of a child that runs copy; -errno if it could not. */
static int
runcopy(void)
{
	char *argv[] = {"t_elf_prog", 0};
	int fd, pid, st;

	unlink("t_elf_prog");
	fd = open("t_elf_prog", O_WRONLY | O_CREAT | O_TRUNC, 0755);
	must(fd >= 0);
	must(write(fd, &copy, sizeof copy) == sizeof copy);
	must(close(fd) == 0);
	pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		if (getuid() == 0 && !quire)
			must(setgroups(0, 0) == 0 && setuid(65534) == 0);
		alarm(1);
		execve("t_elf_prog", argv, environ);
		_exit(100 + errno);
	}
	must(waitpid(pid, &st, 0) == pid);
	return st;
}

static void
put32(int at, unsigned v)
{
	memcpy((char *)&copy + at, &v, 4);
}

static void
damage(void)
{
	static const unsigned odd[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff,
		0xfffff000, 0x7ffff000, 0x1000, 0xc0000000, 0x80100000, 5,
		0x08047fff, 0xfffffffc};
	int i, n = 1 + rnd() % 3, heads = offsetof(__typeof__(prog), code);

	memcpy(&copy, &prog, sizeof copy);
	for (i = 0; i < n; i++) {
		switch (rnd() % 4) {
		case 0:
			((char *)&copy)[rnd() % heads] = rnd();
			break;
		case 1: /* a field of a program header */
			put32(sizeof prog.eh + rnd() % 16 * 4,
				odd[rnd() % NUM(odd)]);
			break;
		case 2: /* entry, phoff, shoff, flags, sizes */
			put32(24 + rnd() % 7 * 4, odd[rnd() % NUM(odd)]);
			break;
		default:
			put32(sizeof prog.eh + rnd() % 16 * 4, rnd());
		}
	}
}

static void
elf_minimal_program(void)
{
	build();
	copy = prog;
	checkeq(runcopy(), 42 << 8);
	unlink("t_elf_prog");
}

static void
elf_damaged_headers(void)
{
	int i, st, ran = 0;

	build();
	srnd(20261120);
	for (i = 0; i < ROUNDS; i++) {
		damage();
		st = runcopy();
		ran += st == 42 << 8;
	}
	unlink("t_elf_prog");
	checkrange(ran, 1, ROUNDS - 1);
}

/* Cut off at every length: never read past the end of the file. */
static void
elf_truncated(void)
{
	char *argv[] = {"t_elf_prog", 0};
	int n, fd, pid, st;

	build();
	for (n = 0; n < (int)offsetof(__typeof__(prog), filler); n += 5) {
		fd = open("t_elf_prog", O_WRONLY | O_CREAT | O_TRUNC, 0755);
		must(fd >= 0);
		must(write(fd, &prog, n) == n);
		must(close(fd) == 0);
		pid = fork();
		if (pid == 0) {
			alarm(1);
			execve("t_elf_prog", argv, environ);
			_exit(100);
		}
		must(waitpid(pid, &st, 0) == pid);
		unlink("t_elf_prog");
	}
}

/* execve's errno for copy, which begins with the name of this interpreter; 0 if
 * it runs. */
static int
interpreter(const char *name, int size)
{
	int at = offsetof(__typeof__(prog), filler), st;

	copy = prog;
	copy.ph[1] = copy.ph[0];
	copy.ph[0] = (Elf32_Phdr){PT_INTERP, at, BASE + at, BASE + at, size,
		size, PF_R, 1};
	strcpy(copy.filler, name);
	st = runcopy();
	return WIFEXITED(st) && WEXITSTATUS(st) >= 100 ? WEXITSTATUS(st) - 100
		: 0;
}

static void
putfile(const char *name, const void *data, int n, int mode)
{
	int fd;

	unlink(name);
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	must(fd >= 0);
	must(write(fd, data, n) == n);
	must(close(fd) == 0 && chmod(name, mode) == 0);
}

static void
elf_interpreter(void)
{
	build();
	checkeq(interpreter("/no/such/file", 14), ENOENT);
	checkeq(interpreter("/tmp", 5), EACCES);
	checkeq(interpreter("/tmp", 4), ENOEXEC); /* no NUL */
	checkeq(interpreter("", 1), ENOEXEC);
	memset(&copy, 'x', sizeof copy);
	putfile("t_elf_interp", &copy, 10, 0755);
	checkeq(interpreter("t_elf_interp", 13), EIO);
	memset(&copy, 'x', sizeof copy);
	putfile("t_elf_interp", &copy, 1000, 0755);
	checkeq(interpreter("t_elf_interp", 13), ELIBBAD);
	copy = prog;
	copy.eh.e_machine = EM_SPARC;
	putfile("t_elf_interp", &copy, sizeof copy, 0755);
	checkeq(interpreter("t_elf_interp", 13), ELIBBAD);
	copy = prog;
	copy.eh.e_type = ET_DYN;
	copy.ph[0].p_vaddr = 0;
	copy.ph[1].p_type = PT_NULL;
	copy.eh.e_entry = offsetof(__typeof__(prog), code);
	putfile("t_elf_interp", &copy, sizeof copy, 0644);
	checkeq(interpreter("t_elf_interp", 13), EACCES);
	chmod("t_elf_interp", 0755);
	copy = prog; /* the interpreter begins, not the program */
	memset(prog.code, 0xf4, sizeof prog.code);
	checkeq(interpreter("t_elf_interp", 13), 0);
	checkeq(runcopy(), 42 << 8);
	unlink("t_elf_interp");
	unlink("t_elf_prog");
}

/* The named mistakes, each with an answer of its own. */
static void
elf_refusals(void)
{
	build();
	copy = prog;
	copy.eh.e_machine = EM_SPARC;
	checkeq(runcopy(), (100 + ENOEXEC) << 8);
	copy = prog;
	copy.eh.e_phnum = 0;
	checkeq(runcopy() != 42 << 8, 1);
	copy = prog;
	copy.eh.e_type = ET_REL;
	checkeq(runcopy(), (100 + ENOEXEC) << 8);
	copy = prog;
	copy.eh.e_entry = 0xfffff000;
	checkeq(runcopy() & 0x7f, SIGSEGV);
	copy = prog;
	copy.ph[0].p_vaddr = 0xfffff000;
	checkeq(runcopy() != 42 << 8, 1);
	copy = prog;
	copy.ph[1].p_memsz = 100; /* less than p_filesz */
	checkrange(runcopy(), 1, 0xffff);
	unlink("t_elf_prog");
}

enum { BIG = 256 }; /* pages of a large program */

/* A program of BIG pages, of which it uses four: its code, which is on page 20,
 * loads from the others. */
static void
putlarge(const char *name)
{
	static const int uses[] = {40, 100, 203};
	static unsigned char text[BIG * PG];
	unsigned char *at = text + 20 * PG;
	unsigned va;

	build();
	prog.eh.e_phnum = 1;
	prog.eh.e_entry = BASE + 20 * PG;
	prog.ph[0].p_filesz = prog.ph[0].p_memsz = sizeof text;
	memset(text, 'x', sizeof text);
	memcpy(text, &prog, offsetof(__typeof__(prog), code));
	for (int i = 0; i < NUM(uses); i++, at += 5) {
		va = BASE + uses[i] * PG;
		at[0] = 0xa0; /* mov al, [va] */
		memcpy(at + 1, &va, 4);
	}
	memcpy(at, code, sizeof code);
	putfile(name, text, sizeof text, 0755);
}

/* What the cache has of a program after its first run: the beginning, for its
 * headers, and where it touched anything the 16 pages that a fault maps. */
static void
elf_reads_what_is_touched(void)
{
	unsigned char in[BIG], want[BIG] = {1, 1, 1, 1};
	static const int blocks[] = {16, 32, 96, 192};
	char *argv[] = {"t_elf_large", 0};
	int fd, pid, st, bad = 0;
	struct statfs fs;
	void *m;

	putlarge("t_elf_large");
	fd = open("t_elf_large", O_RDONLY);
	must(fd >= 0 && fstatfs(fd, &fs) == 0 && fsync(fd) == 0);
	must(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
	pid = fork();
	if (pid == 0) {
		execve("t_elf_large", argv, environ);
		_exit(errno);
	}
	must(waitpid(pid, &st, 0) == pid && st == 42 << 8);
	for (int i = 0; i < NUM(blocks); i++)
		memset(want + blocks[i], 1, 16);
	m = mmap(0, BIG * PG, PROT_READ, MAP_PRIVATE, fd, 0);
	must(m != MAP_FAILED && mincore(m, BIG * PG, in) == 0);
	for (int i = 0; i < BIG; i++)
		bad += in[i] != want[i];
	if (quire && fs.f_type == 0xef53)
		checkeq(bad, 0);
	must(munmap(m, BIG * PG) == 0 && close(fd) == 0);
	unlink("t_elf_large");
}

const struct test t_elf[] = {
	T(elf_minimal_program),
	T(elf_refusals),
	T(elf_interpreter),
	T(elf_reads_what_is_touched),
	T(elf_truncated),
	T(elf_damaged_headers),
	{0},
};
