/* t_shm.c - System V shared memory, and POSIX shared memory in /dev/shm. */
#include "race.h"

#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

static int
newseg(int size)
{
	int id = shmget(IPC_PRIVATE, size, 0600);

	must(id >= 0);
	return id;
}

static word *
attached(int id, const void *at, int flags)
{
	word *m = shmat(id, at, flags);

	must(m != (void *)-1);
	return m;
}

static struct shmid_ds
stated(int id)
{
	struct shmid_ds ds;

	must(shmctl(id, IPC_STAT, &ds) == 0);
	return ds;
}

static void
shm_is_shared(void)
{
	int id = newseg(3 * PG + 1);
	word *a = attached(id, 0, 0), *b = attached(id, 0, 0);
	struct shmid_ds ds = stated(id);

	checkeq(ds.shm_segsz, 3 * PG + 1);
	checkeq(ds.shm_nattch, 2);
	checkeq(ds.shm_perm.mode, 0600);
	checkeq(ds.shm_perm.uid, geteuid());
	checkeq(ds.shm_cpid, getpid());
	checkeq(ds.shm_lpid, getpid());
	checkeq(ds.shm_dtime, 0);
	checkrange(ds.shm_atime, time(0) - 100, time(0));
	check(a != b);
	*a = 4711;
	a[3 * PG / 4 + 1000] = 1; /* the whole last page is there */
	checkeq(*b, 4711);
	checkeq(shmdt((void *)a), 0);
	checkeq(stated(id).shm_nattch, 1);
	check(stated(id).shm_dtime != 0);
	checkerr(shmdt((void *)a), EINVAL);
	checkerr(shmdt((char *)b + 1), EINVAL);
	checkeq(shmdt((void *)b), 0);
	checkeq(stated(id).shm_nattch, 0);
	a = attached(id, 0, 0);
	checkeq(*a, 4711); /* it has been there all the time */
	checkeq(shmctl(id, IPC_RMID, 0), 0);
}

static int childid;
static word *seen;

static void
childuses(void)
{
	checkeq(stated(childid).shm_nattch, 2);
	checkeq(*seen, 1);
	*seen = 2;
	checkeq(shmdt((void *)seen), 0);
	checkeq(stated(childid).shm_nattch, 1);
	seen = attached(childid, 0, 0);
	*seen = 3;
}

static void
shm_fork_inherits(void)
{
	childid = newseg(PG);
	seen = attached(childid, 0, 0);
	*seen = 1;
	child(childuses);
	checkeq(*seen, 3);
	checkeq(stated(childid).shm_nattch, 1); /* exit has detached */
	checkeq(shmctl(childid, IPC_RMID, 0), 0);
}

static void
usesgone(void)
{
	checkeq(*seen, 5);
	checkeq(stated(childid).shm_nattch, 2);
	checkeq(stated(childid).shm_perm.mode, 0600 | SHM_DEST);
	checkeq(*attached(childid, 0, 0), 5);
}

static void
shm_removed_when_unused(void)
{
	childid = newseg(PG);
	seen = attached(childid, 0, 0);
	*seen = 5;
	checkeq(shmctl(childid, IPC_RMID, 0), 0);
	checkeq(stated(childid).shm_nattch, 1);
	checkeq(stated(childid).shm_perm.__key, 0);
	child(usesgone);
	checkeq(*seen, 5);
	checkeq(shmdt((void *)seen), 0);
	checkerr(shmctl(childid, IPC_STAT, &(struct shmid_ds){0}), EINVAL);
	checkerr((long)shmat(childid, 0, 0), EINVAL);
	childid = newseg(PG);
	checkeq(shmctl(childid, IPC_RMID, 0), 0); /* nobody uses it */
	checkerr(shmctl(childid, IPC_RMID, 0), EINVAL);
}

static void
shm_keys(void)
{
	int key = 0x51000000 + getpid(), id;

	checkerr(shmget(key, PG, 0), ENOENT);
	id = shmget(key, 2 * PG, IPC_CREAT | 0640);
	must(id >= 0);
	checkeq(shmget(key, PG, 0), id);
	checkeq(shmget(key, 0, 0), id);
	checkeq(shmget(key, PG, IPC_CREAT | 0640), id);
	checkerr(shmget(key, PG, IPC_CREAT | IPC_EXCL | 0640), EEXIST);
	checkerr(shmget(key, 2 * PG + 1, 0), EINVAL);
	checkeq(stated(id).shm_perm.__key, key);
	checkeq(shmctl(id, IPC_RMID, 0), 0);
	checkerr(shmget(key, PG, 0), ENOENT);
	checkerr(shmget(key, 0, IPC_CREAT | 0600), EINVAL);
	checkerr(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
	checkerr((long)shmat(-1, 0, 0), EINVAL);
	checkerr(shmctl(-1, IPC_STAT, &(struct shmid_ds){0}), EINVAL);
}

static void
shm_places(void)
{
	int id = newseg(2 * PG);
	char *at = area(8);
	word *m;
	unsigned v;

	begin();
	checkerr((long)shmat(id, at, 0), EINVAL); /* taken */
	m = attached(id, at + PG, SHM_REMAP);
	check((char *)m == at + PG);
	*m = 1;
	checkerr((long)shmat(id, at + 10, 0), EINVAL);
	m = attached(id, at + 4 * PG + 10, SHM_RND | SHM_REMAP);
	check((char *)m == at + 4 * PG);
	checkeq(*m, 1);
	checkerr((long)shmat(id, 0, SHM_REMAP), EINVAL);
	m = attached(id, 0, SHM_RDONLY);
	checkeq(load(m, &v), 1);
	checkeq(store(m, 2), 0);
	checkerr(mprotect((void *)m, PG, RW), EACCES);
	checkeq(stated(id).shm_nattch, 3);
	checkerr(shmctl(id, 99, 0), EINVAL);
	checkeq(munmap(at + PG, PG), 0); /* half of the first one */
	checkeq(stated(id).shm_nattch, 3);
	checkeq(shmdt(at + 2 * PG), -1);
	checkeq(shmdt(at + PG), 0); /* the other half */
	checkeq(stated(id).shm_nattch, 2);
	checkeq(shmctl(id, IPC_RMID, 0), 0);
}

/* An attachment over another one, which was the last of a removed segment. */
static void
shm_over_the_last(void)
{
	int a = newseg(PG), b = newseg(PG);
	word *m = attached(a, 0, 0);

	checkeq(shmctl(a, IPC_RMID, 0), 0);
	*attached(b, (void *)m, SHM_REMAP) = 1;
	checkerr(shmctl(a, IPC_STAT, &(struct shmid_ds){0}), EINVAL);
	checkeq(shmctl(b, IPC_RMID, 0), 0);
}

static void
seesholes(void)
{
	checkeq(seen[PG / 4], 0);
	checkeq(seen[0], 7);
	seen[PG / 4] = 3;
}

/* MADV_REMOVE and FALLOC_FL_PUNCH_HOLE take pages out of every view. */
static void
memory_is_punched(void)
{
	struct stat st;
	word *priv;
	int fd, i;

	seen = mmap(0, 4 * PG, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(seen != MAP_FAILED);
	for (i = 0; i < 4 * PG / 4; i++)
		seen[i] = 7;
	checkeq(madvise((void *)(seen + PG / 4), PG, MADV_REMOVE), 0);
	child(seesholes);
	checkeq(seen[PG / 4], 3);
	checkeq(seen[PG / 2], 7);
	checkerr(madvise(area(1), PG, MADV_REMOVE), EINVAL);
	fd = shm_open("/t_punch", O_RDWR | O_CREAT | O_EXCL, 0600);
	must(fd >= 0 && shm_unlink("/t_punch") == 0);
	must(ftruncate(fd, 4 * PG) == 0);
	seen = mmap(0, 4 * PG, RW, MAP_SHARED, fd, 0);
	priv = mmap(0, 4 * PG, RW, MAP_PRIVATE, fd, 0);
	must(seen != MAP_FAILED && priv != MAP_FAILED);
	for (i = 0; i < 4 * PG / 4; i++)
		seen[i] = 7;
	priv[PG / 4] = 9;
	checkeq(priv[PG / 2], 7);
	checkeq(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			2 * PG - 8, PG + 16), 0);
	must(fstat(fd, &st) == 0);
	checkeq(st.st_size, 4 * PG);
	checkeq(st.st_blocks, 3 * PG / 512);
	checkeq(lseek(fd, 0, SEEK_HOLE), 2 * PG);
	checkeq(lseek(fd, 2 * PG, SEEK_DATA), 3 * PG);
	checkeq(seen[PG / 2 - 3], 7);
	checkeq(seen[PG / 2 - 2], 0);
	checkeq(seen[PG / 2], 0);
	checkeq(seen[3 * PG / 4 + 1], 0);
	checkeq(seen[3 * PG / 4 + 2], 7);
	checkeq(priv[PG / 4], 9);
	checkeq(priv[PG / 2], 0);
	checkerr(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, PG), EOPNOTSUPP);
	checkeq(madvise((void *)seen, PG, MADV_REMOVE), 0);
	checkeq(seen[0], 0);
	checkeq(priv[PG / 4], 9);
	checkerr(madvise((void *)priv, PG, MADV_REMOVE), EACCES);
	must(ftruncate(fd, 3 * PG + 9) == 0);
	checkeq(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			0, 9 * PG), 0);
	must(fstat(fd, &st) == 0);
	checkeq(st.st_size, 3 * PG + 9);
	checkeq(st.st_blocks, 0);
	must(mlock((void *)seen, PG) == 0);
	checkerr(madvise((void *)seen, PG, MADV_REMOVE), EINVAL);
	must(munmap((void *)(seen + PG / 4), PG) == 0);
	seen[PG / 2] = 5;
	checkerr(madvise((void *)(seen + PG / 4), 2 * PG, MADV_REMOVE), ENOMEM);
	checkeq(seen[PG / 2], 0);
	close(fd);
}

static int mode600, mode604;

static void
other(void)
{
	struct shmid_ds ds;

	must(setgid(1001) == 0 && setuid(1001) == 0);
	checkerr((long)shmat(mode600, 0, 0), EACCES);
	checkerr((long)shmat(mode600, 0, SHM_RDONLY), EACCES);
	checkerr(shmctl(mode600, IPC_STAT, &ds), EACCES);
	checkerr(shmctl(mode600, IPC_RMID, 0), EPERM);
	check(shmat(mode604, 0, SHM_RDONLY) != (void *)-1);
	checkerr((long)shmat(mode604, 0, 0), EACCES);
	checkeq(shmctl(mode604, IPC_STAT, &ds), 0);
	checkerr(shmctl(mode604, IPC_SET, &ds), EPERM);
}

static void
shm_permissions(void)
{
	struct shmid_ds ds;

	if (getuid() != 0)
		skip("only root may become somebody else");
	mode600 = newseg(PG);
	mode604 = shmget(IPC_PRIVATE, PG, 0604);
	must(mode604 >= 0);
	child(other);
	ds = stated(mode604);
	ds.shm_perm.mode = 0666;
	ds.shm_perm.uid = 5;
	checkeq(shmctl(mode604, IPC_SET, &ds), 0);
	checkeq(stated(mode604).shm_perm.mode, 0666);
	checkeq(stated(mode604).shm_perm.uid, 5);
	checkeq(stated(mode604).shm_perm.cuid, 0);
	checkeq(shmctl(mode600, IPC_RMID, 0), 0);
	checkeq(shmctl(mode604, IPC_RMID, 0), 0);
}

/* As ipcs looks at all of them. */
static void
shm_lists(void)
{
	int id = newseg(5 * PG), i, max, found = 0;
	struct shm_info use;
	struct shminfo info;
	struct shmid_ds ds;

	attached(id, 0, 0)[PG / 4] = 1;
	max = shmctl(0, SHM_INFO, (struct shmid_ds *)&use);
	must(max >= 0);
	check(use.used_ids >= 1 && use.shm_tot >= 5 && use.shm_rss >= 1);
	checkeq(shmctl(0, IPC_INFO, (struct shmid_ds *)&info), max);
	checkeq(info.shmmni, 4096);
	checkeq(info.shmmin, 1);
	for (i = 0; i <= max; i++)
		if (shmctl(i, SHM_STAT, &ds) == id) {
			found++;
			checkeq(ds.shm_segsz, 5 * PG);
			checkeq(ds.shm_nattch, 1);
		}
	checkeq(found, 1);
	checkeq(shmctl(id, IPC_RMID, 0), 0);
}

static void
posix_shm(void)
{
	unsigned v;
	struct stat st;
	word *a, *b;
	int fd;

	begin();
	must(signal(SIGBUS, SIG_DFL) != SIG_ERR);
	must(sigaction(SIGBUS, &(struct sigaction){.sa_sigaction = onsegv,
				.sa_flags = SA_SIGINFO}, 0) == 0);
	fd = shm_open("/t_shm", O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0 && errno == ENOENT)
		skip("there is no /dev/shm");
	must(fd >= 0);
	checkerr(shm_open("/t_shm", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	a = mmap(0, 2 * PG, RW, MAP_SHARED, fd, 0);
	must(a != MAP_FAILED);
	check(!load(a, &v) && why.si_code == BUS_ADRERR);
	checkeq(ftruncate(fd, PG), 0);
	*a = 7;
	check(!load(a + PG / 4, &v));
	checkeq(shm_unlink("/t_shm"), 0);
	checkerr(shm_unlink("/t_shm"), ENOENT);
	b = mmap(0, PG, RW, MAP_SHARED, fd, 0);
	must(b != MAP_FAILED);
	checkeq(*b, 7);
	checkeq(fstat(fd, &st), 0);
	checkeq(st.st_nlink, 0);
	checkeq(close(fd), 0);
	*b = 8;
	checkeq(*a, 8);
}

static ssize_t
vmcopy(int write, int pid, struct iovec *ours, int n, struct iovec *theirs,
	int m)
{
	return write ? process_vm_writev(pid, ours, n, theirs, m, 0)
		     : process_vm_readv(pid, ours, n, theirs, m, 0);
}

/* The memory of another process, which has the same mappings. */
static void
process_vm_copies(void)
{
	char *at = area(4), buf[100] = {0};
	struct iovec ours[2] = {{buf, 3}, {buf + 50, 20}}, theirs[2];
	int pid, st, go[2], done[2];
	char c;

	must(mprotect(at, 2 * PG, RW) == 0);
	must(mprotect(at + 2 * PG, PG, PROT_READ) == 0);
	memcpy(at + PG - 5, "0123456789", 10);
	must(pipe(go) == 0 && pipe(done) == 0);
	pid = fork();
	if (pid == 0) {
		memcpy(at + PG - 5, "abcdefghij", 10);
		must(write(done[1], "", 1) == 1 && read(go[0], &c, 1) == 1);
		_exit(memcmp(at + PG - 5, "XYcdefghij", 10) != 0);
	}
	must(pid > 0 && read(done[0], &c, 1) == 1);
	theirs[0] = (struct iovec){at + PG - 5, 9};
	theirs[1] = (struct iovec){at + PG + 4, 1};
	checkeq(vmcopy(0, pid, ours, 2, theirs, 2), 10);
	check(memcmp(buf, "abc", 4) == 0 &&
		memcmp(buf + 50, "defghij", 8) == 0);
	check(memcmp(at + PG - 5, "0123456789", 10) == 0);
	checkeq(vmcopy(1, pid, &(struct iovec){"XY", 2}, 1, theirs, 1), 2);
	theirs[0] = (struct iovec){at + 3 * PG, 8}; /* no access */
	checkerr(vmcopy(0, pid, ours, 2, theirs, 1), EFAULT);
	theirs[0] = (struct iovec){at + 2 * PG, 8}; /* only to be read */
	checkerr(vmcopy(1, pid, ours, 2, theirs, 1), EFAULT);
	checkeq(vmcopy(0, pid, ours, 2, theirs, 1), 8);
	/* the end is not there */
	theirs[0] = (struct iovec){at + 3 * PG - 8, 20};
	checkeq(vmcopy(0, pid, ours, 2, theirs, 1), 8);
	checkerr(vmcopy(0, pid, &(struct iovec){(void *)8, 8}, 1, theirs, 1),
		EFAULT);
	checkeq(vmcopy(0, pid, ours, 0, theirs, 1), 0);
	checkerr(process_vm_readv(pid, ours, 1, theirs, 1, 1), EINVAL);
	checkerr(process_vm_readv(pid, ours, 2000, theirs, 1, 0), EINVAL);
	must(write(go[1], "", 1) == 1 && waitpid(pid, &st, 0) == pid);
	checkeq(st, 0);
	checkerr(vmcopy(0, pid, ours, 2, theirs, 1), ESRCH);
}

const struct test t_shm[] = {
	T(process_vm_copies),
	T(shm_is_shared),
	T(shm_fork_inherits),
	T(shm_removed_when_unused),
	T(shm_keys),
	T(shm_places),
	T(shm_over_the_last),
	T(shm_permissions),
	T(shm_lists),
	T(posix_shm),
	T(memory_is_punched),
	{0},
};
