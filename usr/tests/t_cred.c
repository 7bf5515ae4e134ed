/*
 * t_cred.c - user and group ids: what setuid and its kin change, and refuse.
 *
 * Each call is made with all arguments of a few ids, and -1, from all states of
 * real, effective and saved id; what it should do is said by rules(), which has
 * the words of setuid(2), setreuid(2), setresuid(2) and setfsuid(2).
 */
#include "t.h"

#define N 3 /* ids 0 to N - 1; 0 is root */

enum { R, E, S, F }; /* real, effective, saved, file system */
enum call { SETUID, SETREUID, SETRESUID, SETFSUID, NCALL };

static const struct {
	const char *name;
	int nargs;
	long user, group; /* system calls */
} calls[NCALL] = {
	{"set*id", 1, SYS_setuid32, SYS_setgid32},
	{"setre*id", 2, SYS_setreuid32, SYS_setregid32},
	{"setres*id", 3, SYS_setresuid32, SYS_setresgid32},
	{"setfs*id", 1, SYS_setfsuid32, SYS_setfsgid32},
};

static int
any(const int id[4], int from, int to, int v)
{
	for (int i = from; i <= to; i++)
		if (id[i] == v)
			return 1;
	return 0;
}

/* Do to id[4] what the call with the arguments a should: what it returns. */
static int
rules(enum call c, const int *a, int root, int id[4])
{
	int real = id[R];

	switch (c) {
	case SETUID:
		if (a[0] == -1)
			return -EINVAL;
		if (!root && a[0] != id[R] && a[0] != id[S])
			return -EPERM;
		if (root)
			id[R] = id[S] = a[0];
		id[E] = id[F] = a[0];
		return 0;
	case SETREUID:
		if (a[0] != -1 && !root && !any(id, R, E, a[0]))
			return -EPERM;
		if (a[1] != -1 && !root && !any(id, R, S, a[1]))
			return -EPERM;
		if (a[0] != -1)
			id[R] = a[0];
		if (a[1] != -1)
			id[E] = a[1];
		if (a[0] != -1 || (a[1] != -1 && a[1] != real))
			id[S] = id[E];
		id[F] = id[E];
		return 0;
	case SETRESUID:
		for (int i = R; i <= S; i++)
			if (a[i] != -1 && !root && !any(id, R, S, a[i]))
				return -EPERM;
		for (int i = R; i <= S; i++)
			if (a[i] != -1)
				id[i] = a[i];
		id[F] = id[E];
		return 0;
	default:
		real = id[F];
		if (a[0] != -1 && (root || any(id, R, F, a[0])))
			id[F] = a[0];
		return real;
	}
}

/* The process's ids of users or groups now. */
static void
now(int group, int id[4])
{
	must(syscall(group ? SYS_getresgid32 : SYS_getresuid32, &id[R], &id[E],
		     &id[S]) == 0);
	id[F] = syscall(group ? SYS_setfsgid32 : SYS_setfsuid32, -1);
}

/* Be real, effective, saved id r, e, s; of groups also of the user euid. */
static void
become(int group, int r, int e, int s, int euid)
{
	must(syscall(group ? SYS_setresgid32 : SYS_setresuid32, r, e, s) == 0);
	if (group)
		must(syscall(SYS_setresuid32, 1, euid, 1) == 0);
}

/* One call from one state, in a process of its own. */
static void
one(enum call c, int group, const int start[3], const int *a, int euid)
{
	int want[4], got[4], r, w, root;

	become(group, start[R], start[E], start[S], euid);
	root = group ? euid == 0 : start[E] == 0;
	now(group, want);
	w = rules(c, a, root, want);
	r = syscall(group ? calls[c].group : calls[c].user, a[0], a[1], a[2]);
	if (r < 0)
		r = -errno;
	now(group, got);
	if (r != w || memcmp(got, want, sizeof(got)))
		failed(__FILE__, __LINE__,
		       "%s(%d, %d, %d) by %d %d %d, %s: %d, "
		       "%d %d %d %d, not %d, %d %d %d %d", calls[c].name, a[0],
			a[1], a[2], start[R], start[E], start[S],
			root ? "root" : "not root", r, got[R], got[E], got[S],
			got[F], w, want[R], want[E], want[S], want[F]);
}

/* All calls from one state, each in a child of this one. */
static void
from(int group, const int start[3], int euid)
{
	int a[3], n, i, pid;

	for (int c = 0; c < NCALL; c++) {
		n = calls[c].nargs;
		for (i = 0; i < (N + 1) * (n > 1 ? N + 1 : 1) *
			(n > 2 ? N + 1 : 1); i++) {
			a[0] = i % (N + 1) - 1;
			a[1] = n > 1 ? i / (N + 1) % (N + 1) - 1 : 0;
			a[2] = n > 2 ? i / (N + 1) / (N + 1) - 1 : 0;
			if ((pid = fork()) == 0) {
				one(c, group, start, a, euid);
				finish();
			}
			reaped(pid);
		}
	}
}

static void
all(int group, int euid)
{
	int start[3];

	if (geteuid() != 0)
		skip("not root: the states cannot be made");
	for (int i = 0; i < N * N * N; i++) {
		start[R] = i % N;
		start[E] = i / N % N;
		start[S] = i / N / N;
		from(group, start, euid);
	}
}

static void
users(void)
{
	all(0, 0);
}

static void
groups_of_root(void)
{
	all(1, 0);
}

static void
groups_of_others(void)
{
	all(1, 1);
}

/* What PAM does for su: after it the real id cannot be taken back. */
static void
su_gives_root_up(void)
{
	int id[4];

	if (geteuid() != 0)
		skip("not root");
	must(syscall(SYS_setreuid32, 0, -1) == 0);
	must(syscall(SYS_setuid32, 7) == 0);
	now(0, id);
	check(id[R] == 7 && id[E] == 7 && id[S] == 7 && id[F] == 7);
	checkerr(syscall(SYS_setuid32, 0), EPERM);
	checkerr(syscall(SYS_setreuid32, 0, -1), EPERM);
}

const struct test t_cred[] = {
	T(users), T(groups_of_root), T(groups_of_others), T(su_gives_root_up),
	{0},
};
