/* t_fpu.c - registers that the kernel does not use, and the libc upon them. */
#include "t.h"

#include <math.h>
#include <sched.h>
#include <sys/mman.h>

#define KEEPERS 4
#define ROUNDS  300

/* Fill the registers with v, let others run, and compare. */
static int
keep(unsigned char v)
{
	unsigned char in[8][16], out[8][16];
	double st[2] = {v * 1.25, v * 3.5}, back[2];

	memset(in, v, sizeof in);
	in[7][3] = ~v;
	__asm__ volatile("fldl 8(%1)\n\tfldl (%1)\n\t"
			 "movdqu (%0), %%xmm0\n\tmovdqu 16(%0), %%xmm1\n\t"
			 "movdqu 32(%0), %%xmm2\n\tmovdqu 48(%0), %%xmm3\n\t"
			 "movdqu 64(%0), %%xmm4\n\tmovdqu 80(%0), %%xmm5\n\t"
			 "movdqu 96(%0), %%xmm6\n\tmovdqu 112(%0), %%xmm7\n\t"
			 "mov $158, %%eax\n\tint $0x80\n\t" /* sched_yield */
			 "mov $200000, %%eax\n"
			 "1:\tdec %%eax\n\tjnz 1b\n\t"
			 "movdqu %%xmm0, (%2)\n\tmovdqu %%xmm1, 16(%2)\n\t"
			 "movdqu %%xmm2, 32(%2)\n\tmovdqu %%xmm3, 48(%2)\n\t"
			 "movdqu %%xmm4, 64(%2)\n\tmovdqu %%xmm5, 80(%2)\n\t"
			 "movdqu %%xmm6, 96(%2)\n\tmovdqu %%xmm7, 112(%2)\n\t"
			 "fstpl (%3)\n\tfstpl 8(%3)"
			 :
			 : "r"(in), "r"(st), "r"(out), "r"(back)
			 : "eax", "memory");
	return memcmp(in, out, sizeof in) == 0 && st[0] == back[0] &&
		st[1] == back[1];
}

static void
fpu_kept_over_switches(void)
{
	int pid[KEEPERS], i, k, bad = 0;

	for (k = 0; k < KEEPERS; k++) {
		pid[k] = fork();
		if (pid[k] == 0) {
			for (i = 0; i < ROUNDS; i++)
				bad += !keep(k * 50 + i % 50);
			checkeq(bad, 0);
			finish();
		}
	}
	for (k = 0; k < KEEPERS; k++)
		reaped(pid[k]);
}

static void
fpu_inherited_by_fork(void)
{
	double x = 1.5, y = 0;
	int pid;

	__asm__ volatile("fldl %3\n\tint $0x80\n\tfstpl %1"
			 : "=a"(pid), "=m"(y)
			 : "0"(SYS_fork), "m"(x)
			 : "memory");
	if (pid == 0)
		int80(SYS_exit, y == 1.5 ? 0 : 1, 0, 0);
	reaped(pid);
	check(y == 1.5);
}

static int
compare(const void *a, const void *b)
{
	double x = *(double *)a, y = *(double *)b;

	return (x > y) - (x < y);
}

static void
libc_qsort_and_math(void)
{
	static double v[5000];
	char text[64];
	int i, bad = 0;

	for (i = 0; i < NUM(v); i++)
		v[i] = sin(i * 12.9898) * 43758.5453;
	qsort(v, NUM(v), sizeof v[0], compare);
	for (i = 1; i < NUM(v); i++)
		bad += v[i - 1] > v[i];
	checkeq(bad, 0);
	snprintf(text, sizeof text, "%.10g %s %5d|%-4x|%lld", 1 / 3.0, "str",
		-42, 0xbeef, 1LL << 40);
	checkeq(strcmp(text, "0.3333333333 str   -42|beef|1099511627776"), 0);
	check(strtod("-2.5e3xyz", 0) == -2500);
	check(fabs(sqrt(2) * sqrt(2) - 2) < 1e-12);
	check(fabs(exp(log(10)) - 10) < 1e-12);
}

/* The string functions read whole vectors, but never beyond a page's end. */
static void
libc_strings_at_page_end(void)
{
	char *p = area(4) + PG, *end = p + PG, out[64];
	int n;

	must(mprotect(p, PG, PROT_READ | PROT_WRITE) == 0);
	for (n = 0; n < 60; n++) {
		memset(p, 'z', PG);
		memset(end - n - 1, 'a', n);
		end[-1] = 0;
		checkeq(strlen(end - n - 1), n);
		checkeq(memchr(end - n - 1, 0, n + 1) == end - 1, 1);
		memcpy(out, end - n - 1, n + 1);
		checkeq(strcmp(out, end - n - 1), 0);
		memcpy(end - n - 1, out, n + 1);
		memmove(end - n - 1, end - n - 1, n + 1);
		checkeq(memcmp(out, end - n - 1, n + 1), 0);
		strcpy(end - n - 1, out);
		check(strchr(end - n - 1, 'q') == 0);
	}
}

const struct test t_fpu[] = {
	T(fpu_kept_over_switches),
	T(fpu_inherited_by_fork),
	T(libc_qsort_and_math),
	T(libc_strings_at_page_end),
	{0},
};
