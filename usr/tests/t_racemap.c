/* t_racemap.c - mapped files against what else happens to them.  With DISK=
 * (run.c) the files are on a disk, and pages come from it and go to it. */
#include "race.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define PAGES 8
#define FIRST 0xf11e0000u /* of page i: that + i */

#define DIR       "t_racemap.d" /* SPARE is mounted here */
#define SPAREFILE DIR "/f"

static int fd;
static word *flag; /* shared with children */

static void
catching(void)
{
	struct sigaction sa = {.sa_sigaction = onsegv, .sa_flags = SA_SIGINFO};

	begin();
	must(sigaction(SIGBUS, &sa, 0) == 0);
}

static word *
page(word *at, int i)
{
	return at + i * (PG / 4);
}

/* A file of PAGES pages that the cache does not have, if a disk has it. */
static void
coldfile(const char *name)
{
	unsigned v;
	int i;

	fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	must(fd >= 0 && ftruncate(fd, PAGES * PG) == 0);
	for (i = 0; i < PAGES; i++) {
		v = FIRST + i;
		must(pwrite(fd, &v, sizeof(v), i * PG) == sizeof(v));
	}
	must(fsync(fd) == 0);
	must(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
}

static void
mapcold(int i)
{
	(void)i;
	coldfile("t_racemap");
	p = mmap(0, PAGES * PG, RW, MAP_SHARED, fd, 0);
	must(p != MAP_FAILED);
}

static void
unmapcold(int i)
{
	(void)i;
	must(munmap((void *)p, PAGES * PG) == 0);
}

static void
unlinks(int i)
{
	must(unlink("t_racemap") == 0 && close(fd) == 0);
	over = i;
}

/* What is mapped can be read to the end, name or not. */
static void
readsall(int i)
{
	int k;

	(void)i;
	for (k = 0; k < PAGES; k++)
		must(*page(p, (k * 5 + i) % PAGES) ==
			FIRST + (k * 5 + i) % PAGES);
	*page(p, i % PAGES) = 1;
}

static void
unlink_against_pagein(void)
{
	catching();
	race(&(struct race){mapcold, unlinks, readsall, unmapcold});
}

static void
iskilled(int i)
{
	int pid = fork(), st, k;

	must(pid >= 0);
	if (pid == 0) {
		for (k = 0; k < PAGES; k++)
			*page(p, (k * 3 + i) % PAGES) = FIRST + k;
		_exit(0);
	}
	jitter();
	jitter();
	must(kill(pid, SIGKILL) == 0);
	must(waitpid(pid, &st, 0) == pid);
	must(st == 0 || WTERMSIG(st) == SIGKILL);
}

static void
readssome(int i)
{
	unsigned v;

	must(pread(fd, &v, sizeof(v), i % PAGES * PG) == sizeof(v));
	must(v - FIRST < PAGES);
}

static void
closes(int i)
{
	unmapcold(i);
	must(close(fd) == 0 && unlink("t_racemap") == 0);
}

static void
kill_during_pagein(void)
{
	catching();
	race(&(struct race){mapcold, iskilled, readssome, closes});
}

/* One file for all rounds; each side has words of its own in the same pages. */
static void
storesandsyncs(int i)
{
	page(p, 0)[1] = i;
	if (i % 3 == 0)
		must(msync((void *)p, PAGES * PG, MS_SYNC) == 0);
	page(p, 1)[1] = i;
}

static void
writesandsyncs(int i)
{
	unsigned v = i;

	must(pwrite(fd, &v, sizeof(v), 8) == sizeof(v));
	page(p, 1)[2] = i;
	if (i % 2 == 0)
		must(fsync(fd) == 0);
	page(p, 2)[2] = i;
}

/* Now and then from the disk: all that was stored is there. */
static void
allthere(int i)
{
	unsigned want[3][2] = {{i, i}, {i, i}, {0, i}}, got[2];
	int k;

	must(page(p, 0)[1] == want[0][0] && page(p, 0)[2] == want[0][1]);
	if (i % 16)
		return;
	unmapcold(i);
	if (i % 32)
		must(fdatasync(fd) == 0);
	must(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
	for (k = 0; k < 3; k++) {
		must(pread(fd, got, sizeof(got), k * PG + 4) == sizeof(got));
		must(got[0] == want[k][0] && got[1] == want[k][1]);
	}
	p = mmap(0, PAGES * PG, RW, MAP_SHARED, fd, 0);
	must(p != MAP_FAILED);
}

static void
nobody(int i)
{
	(void)i;
}

static void
write_against_msync(void)
{
	catching();
	mapcold(0);
	race(&(struct race){nobody, storesandsyncs, writesandsyncs, allthere});
	closes(0);
}

static void
growsagain(int i)
{
	(void)i;
	must(ftruncate(fd, PAGES * PG) == 0);
}

static void
cutsto1(int i)
{
	must(ftruncate(fd, PG / 2) == 0);
	over = i;
}

/* Stores and writes back what another cuts off. */
static void
storesandwrites(int i)
{
	int was, ok;

	do {
		was = isover(i);
		ok = store(page(p, 2), i);
		must(ok || why.si_code == BUS_ADRERR);
		must(msync((void *)p, PAGES * PG, i % 2 ? MS_SYNC : MS_ASYNC) ==
			0);
		must(store(p, i)); /* the first page stays */
	} while (!was);
	must(!store(page(p, 2), i) && !store(page(p, 7), i));
}

static void
restiszero(int i)
{
	unsigned v[2] = {1, 1};

	growsagain(i);
	must(pread(fd, v, sizeof(v), 2 * PG) == sizeof(v));
	must(v[0] == 0 && v[1] == 0 && *p == (unsigned)i);
	must(pread(fd, v, 4, PG / 2) == 4 && v[0] == 0);
}

static void
truncate_against_msync(void)
{
	catching();
	mapcold(0);
	race(&(struct race){growsagain, cutsto1, storesandwrites, restiszero});
	closes(0);
}

/* The child shares page tables with who cuts off the file. */
static void
forks(int i)
{
	int pid = fork(), st, was, k = 0;
	unsigned v;

	must(pid >= 0);
	if (pid == 0) {
		do {
			was = *flag == (unsigned)i + 1;
			k = (k + 1) % PAGES;
			if (i % 2)
				store(page(p, k), i);
			else
				load(page(p, k), &v);
			turn();
		} while (!was);
		for (k = 1; k < PAGES; k++)
			if (load(page(p, k), &v))
				_exit(1);
		_exit(load(p, &v) ? 0 : 2);
	}
	must(waitpid(pid, &st, 0) == pid && st == 0);
}

static void
cutsandtells(int i)
{
	cutsto1(i);
	*flag = i + 1;
}

static void
truncate_against_fork(void)
{
	catching();
	flag = sharedpages(1);
	mapcold(0);
	race(&(struct race){growsagain, cutsandtells, forks, nobody});
	must(munmap((void *)p, PAGES * PG) == 0);
	p = mmap(0, PAGES * PG, RW, MAP_PRIVATE, fd, 0);
	must(p != MAP_FAILED);
	*flag = 0;
	race(&(struct race){growsagain, cutsandtells, forks, nobody});
	closes(0);
}

/* What was in the memory before it was punched is seen by nobody afterwards, in
 * page tables that a child shares, too: i is stored, then page 0 and those with
 * it go, and then *flag is i. */
static void
punches(int i)
{
	for (int k = 0; k < PAGES; k++)
		*page(p, k) = i + 1;
	jitter();
	must(madvise((void *)p, PAGES * PG, MADV_REMOVE) == 0);
	*flag = i + 1;
}

static void
seesnotold(int i)
{
	int pid = fork(), st, k = 0;
	unsigned gone, v;

	must(pid >= 0);
	do {
		gone = *flag;
		k = (k + 1) % PAGES;
		v = *page(p, k);
		must(v == 0 || v > gone);
		turn();
	} while (gone != (unsigned)i + 1);
	for (k = 0; k < PAGES; k++)
		must(*page(p, k) == 0);
	if (pid == 0)
		_exit(0);
	must(waitpid(pid, &st, 0) == pid && st == 0);
}

static void
punch_against_fault(void)
{
	begin();
	flag = sharedpages(1);
	p = sharedpages(PAGES);
	race(&(struct race){nobody, punches, seesnotold, nobody});
	must(munmap((void *)p, PAGES * PG) == 0);
}

/* The ext2 of SPARE=/dev/NAME is unmounted while two processes use a file
 * there: they truncate it against mapped stores, write it against msync and
 * fsync, unlink it against reading pages, are killed while they do; or the
 * unmount was first. */
static const char *spare;
static int found, unlinked, unmounted;

static void
storesinspare(int i)
{
	int k;

	for (k = 0; k < 3 * PAGES; k++) {
		must(store(page(p, k % PAGES), i) || why.si_code == BUS_ADRERR);
		must(store(p, i)); /* the first page stays */
	}
}

static void
cutsspare(int i)
{
	(void)i;
	must(ftruncate(fd, PG / 2) == 0);
}

static void
wascut(int i)
{
	unsigned v[PG / 4];

	must(pread(fd, v, sizeof(v), 0) == PG / 2);
	must(v[0] == (unsigned)i && v[1] == 0);
}

static void
writesspare(int i)
{
	unsigned v = i;

	must(pwrite(fd, &v, sizeof(v), 8) == sizeof(v));
	page(p, 5)[2] = i;
	if (i % 3 == 0)
		must(fsync(fd) == 0);
	must(pwrite(fd, &v, sizeof(v), 2 * PG - 4) == sizeof(v));
}

static void
syncsspare(int i)
{
	page(p, 0)[1] = i;
	if (i % 5 == 0)
		must(msync((void *)p, PAGES * PG, MS_SYNC) == 0);
	page(p, 5)[1] = i;
}

static void
waswritten(int i)
{
	unsigned v[PAGES * PG / 4], u = i;

	must(pread(fd, v, sizeof(v), 0) == sizeof(v));
	must(v[1] == u && v[2] == u && v[2 * PG / 4 - 1] == u);
	must(v[5 * PG / 4 + 1] == u && v[5 * PG / 4 + 2] == u);
	must(v[0] == FIRST && v[7 * PG / 4] == FIRST + 7);
}

static void
readsspare(int i)
{
	int k;

	for (k = 0; k < PAGES; k++)
		must(*page(p, (k * 5 + i) % PAGES) ==
			FIRST + (k * 5 + i) % PAGES);
}

static void
unlinksspare(int i)
{
	(void)i;
	unlinked = unlink(SPAREFILE) == 0;
	must(unlinked || errno == ENOENT);
}

static void
wasread(int i)
{
	unsigned v;
	int k;

	for (k = 0; k < PAGES; k++) {
		must(pread(fd, &v, sizeof(v), (k + i) % PAGES * PG) ==
			sizeof(v));
		must(v == FIRST + (k + i) % PAGES);
	}
}

static const struct use {
	void (*child)(int), (*parent)(int), (*look)(int);
} uses[] = {
	{storesinspare, cutsspare, wascut},
	{writesspare, syncsspare, waswritten},
	{readsspare, unlinksspare, wasread},
	{readsspare, nobody, wasread}, /* and is killed */
};

/* It begins with the file in use or not, but not in memory. */
static void
filesspare(int i)
{
	coldfile(SPAREFILE);
	if (i % 2)
		must(close(fd) == 0);
	unlinked = 0;
}

/* The child may be the last to use the file. */
static void
usesspare(int i)
{
	const struct use *u = &uses[i / 2 % 4];
	int pid, st;

	if (i % 2)
		fd = open(SPAREFILE, O_RDWR);
	found = fd >= 0;
	must(found || errno == ENOENT);
	if (!found)
		return;
	p = mmap(0, PAGES * PG, RW, MAP_SHARED, fd, 0);
	pid = fork();
	must(p != MAP_FAILED && pid >= 0);
	if (pid == 0) {
		u->child(i);
		_exit(0);
	}
	u->parent(i);
	must(munmap((void *)p, PAGES * PG) == 0 && close(fd) == 0);
	if (u->parent == nobody) {
		jitter();
		must(kill(pid, SIGKILL) == 0);
	}
	must(waitpid(pid, &st, 0) == pid);
	must(st == 0 || (u->parent == nobody && WTERMSIG(st) == SIGKILL));
}

/* Once, until it is done, or so that it is done when the last user has gone. */
static void
unmountsspare(int i)
{
	int n = 0;

	do {
		rest(&n);
		unmounted = umount2(DIR, i / 8 % 3 == 0 ? MNT_DETACH : 0) == 0;
		must(unmounted || (i / 8 % 3 && errno == EBUSY));
	} while (!unmounted && i / 8 % 3 == 1);
}

/* Nobody uses it: it is clean, and all that was done is there. */
static void
lookatspare(int i)
{
	unsigned short valid = 0;
	int disk;

	if (!unmounted)
		must(umount(DIR) == 0);
	must(mount(spare, DIR, "ext2", MS_RDONLY, 0) == 0);
	disk = open(spare, O_RDONLY);
	must(disk >= 0);
	must(pread(disk, &valid, sizeof(valid), 1024 + 58) == sizeof(valid));
	must(valid == 1 && close(disk) == 0);
	fd = open(SPAREFILE, O_RDONLY);
	must(fd >= 0 ? !unlinked : unlinked && errno == ENOENT);
	if (fd >= 0) {
		(found ? uses[i / 2 % 4].look : wasread)(i);
		must(close(fd) == 0);
	}
	must(mount(0, DIR, 0, MS_REMOUNT, 0) == 0);
}

static void
umount_against_all(void)
{
	if (!(spare = getenv("SPARE")))
		skip("SPARE");
	catching();
	must(mkdir(DIR, 0700) == 0 && mount(spare, DIR, "ext2", 0, 0) == 0);
	race(&(struct race){filesspare, unmountsspare, usesspare, lookatspare});
	must(umount(DIR) == 0 && rmdir(DIR) == 0);
}

/* An ext2 becomes read-only while it is changed: a change is done, and kept, or
 * EROFS; what is open for writing keeps it read-write. */
static int done, wasreadonly;

static int
changes(int i)
{
	int f, r;

	switch (i % 5) {
	case 0:
		return mkdir(DIR "/d", 0700);
	case 1:
		return rename(DIR "/d", DIR "/e");
	case 2:
		return rmdir(DIR "/e");
	case 3:
		f = open(SPAREFILE, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		r = f >= 0 ? write(f, &i, sizeof(i)) : -1;
		must(f < 0 || (r == sizeof(i) && close(f) == 0));
		return r;
	}
	if ((f = open(SPAREFILE, O_RDWR)) < 0)
		return -1;
	p = mmap(0, PG, RW, MAP_SHARED, f, 0);
	must(p != MAP_FAILED && close(f) == 0);
	jitter();
	*p = i;
	must(munmap((void *)p, PG) == 0);
	return 0;
}

static void
changesspare(int i)
{
	done = changes(i) >= 0;
	must(done || errno == EROFS);
}

static void
remounts(int i)
{
	for (i = dice() % 32; i > 0; i--)
		jitter(); /* a change takes longer to begin */
	wasreadonly = mount(0, DIR, 0, MS_REMOUNT | MS_RDONLY, 0) == 0;
	must(wasreadonly || errno == EBUSY);
}

static void
isdone(int i)
{
	int f, v;

	if (!done)
		must(changes(i) >= 0);
	if (i % 5 < 3) {
		must((access(DIR "/d", F_OK) == 0) == (i % 5 == 0));
		must((access(DIR "/e", F_OK) == 0) == (i % 5 == 1));
		return;
	}
	f = open(SPAREFILE, O_RDONLY);
	must(f >= 0 && pread(f, &v, sizeof(v), 0) == sizeof(v) && v == i);
	must(close(f) == 0);
}

/* Then all of that is on the disk. */
static void
lookreadonly(int i)
{
	unsigned short valid = 0;
	int disk;

	if (!wasreadonly)
		must(mount(0, DIR, 0, MS_REMOUNT | MS_RDONLY, 0) == 0);
	disk = open(spare, O_RDONLY);
	must(disk >= 0);
	must(pread(disk, &valid, sizeof(valid), 1024 + 58) == sizeof(valid));
	must(valid == 1 && close(disk) == 0);
	must(mount(0, DIR, 0, MS_REMOUNT, 0) == 0);
	isdone(i);
	if (i % 7)
		return;
	must(umount(DIR) == 0 && mount(spare, DIR, "ext2", 0, 0) == 0);
	done = 1;
	isdone(i);
}

static void
remount_against_changes(void)
{
	if (!(spare = getenv("SPARE")))
		skip("SPARE");
	catching();
	must(mkdir(DIR, 0700) == 0 && mount(spare, DIR, "ext2", 0, 0) == 0);
	race(&(struct race){nobody, remounts, changesspare, lookreadonly});
	must(unlink(SPAREFILE) == 0 || errno == ENOENT);
	(void)rmdir(DIR "/d");
	(void)rmdir(DIR "/e");
	must(umount(DIR) == 0 && rmdir(DIR) == 0);
}

const struct test t_racemap[] = {
	T(unlink_against_pagein),
	T(kill_during_pagein),
	T(write_against_msync),
	T(truncate_against_msync),
	T(truncate_against_fork),
	T(punch_against_fault),
	T(umount_against_all),
	T(remount_against_changes),
	{0},
};
