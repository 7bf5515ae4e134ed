/* t_mount.c - mount, umount, their options, statfs.  They are for root. */
#include "t.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#define AT "t_mount_dir"

/* A directory to mount on, on a host in a world of its own. */
static void
enter(void)
{
	if (geteuid() != 0)
		skip("mounts");
	if (!quire && (unshare(CLONE_NEWNS) < 0 ||
		mount("none", "/", 0, MS_REC | MS_PRIVATE, 0) < 0))
		skip("mounts");
	must(mkdir(AT, 0755) == 0);
}

static void
leave(void)
{
	checkeq(umount(AT), 0);
	checkeq(rmdir(AT), 0);
}

static void
mounted(unsigned flags, const char *data)
{
	enter();
	must(mount("t", AT, "tmpfs", flags, data) == 0);
}

static int
create(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT, 0644);

	must(fd >= 0);
	return fd;
}

/* Does /proc/mounts say so of AT? */
static int
listed(const char *options)
{
	char line[512], *at;
	FILE *f = fopen("/proc/mounts", "r");
	int found = 0;

	must(f);
	while (fgets(line, sizeof(line), f))
		if (strstr(line, AT " tmpfs ") &&
			(at = strstr(line, " tmpfs ")))
			found = !strncmp(at + 7, options, strlen(options));
	fclose(f);
	return found;
}

static void
tmpfs_size_is_kept(void)
{
	static char buf[128 * 1024];
	struct statfs st;
	int fd;

	mounted(0, "size=64k,nr_inodes=4,mode=751,uid=5,gid=6");
	must(statfs(AT, &st) == 0);
	checkeq(st.f_type, 0x01021994);
	checkeq(st.f_bsize, PG);
	checkeq(st.f_blocks, 16);
	checkeq(st.f_bfree, 16);
	checkeq(st.f_files, 4);
	checkeq(st.f_ffree, 3);
	fd = create(AT "/a");
	checkeq(write(fd, buf, sizeof(buf)), 16 * PG);
	checkerr(write(fd, buf, 1), ENOSPC);
	must(statfs(AT, &st) == 0);
	checkeq(st.f_bfree, 0);
	checkeq(pwrite(fd, "x", 1, 5), 1);
	checkeq(ftruncate(fd, PG), 0);
	checkeq(pwrite(fd, buf, sizeof(buf), PG), 15 * PG);
	close(fd);
	close(create(AT "/b"));
	close(create(AT "/c"));
	checkerr(open(AT "/d", O_CREAT | O_RDWR, 0644), ENOSPC);
	checkerr(mkdir(AT "/d", 0755), ENOSPC);
	checkerr(symlink("a", AT "/d"), ENOSPC);
	checkerr(link(AT "/a", AT "/d"), ENOSPC);
	checkeq(unlink(AT "/c"), 0);
	checkeq(symlink("a", AT "/d"), 0);
	leave();
}

static void
tmpfs_options_are_checked(void)
{
	struct stat st;

	enter();
	checkerr(mount("t", AT, "tmpfs", 0, "nonsense"), EINVAL);
	checkerr(mount("t", AT, "tmpfs", 0, "nonsense=1"), EINVAL);
	checkerr(mount("t", AT, "tmpfs", 0, "size=1x"), EINVAL);
	checkerr(mount("t", AT, "tmpfs", 0, "mode=9"), EINVAL);
	must(mount("t", AT, "tmpfs", 0, "size=1%,,mode=1700,uid=7,gid=8") == 0);
	must(stat(AT, &st) == 0);
	checkeq(st.st_mode, S_IFDIR | 01700);
	checkeq(st.st_uid, 7);
	checkeq(st.st_gid, 8);
	leave();
}

static void
tmpfs_size_changes_with_remount(void)
{
	char buf[PG];
	struct statfs st;
	int fd, i;

	mounted(0, "size=64k");
	fd = create(AT "/a");
	for (i = 0; i < 4; i++)
		checkeq(write(fd, buf, PG), PG);
	checkerr(mount("t", AT, "tmpfs", MS_REMOUNT, "size=12k"), EINVAL);
	checkeq(mount("t", AT, "tmpfs", MS_REMOUNT, "size=16k"), 0);
	checkerr(write(fd, buf, 1), ENOSPC);
	checkeq(mount("t", AT, "tmpfs", MS_REMOUNT, "size=20k"), 0);
	checkeq(write(fd, buf, PG), PG);
	must(statfs(AT, &st) == 0);
	checkeq(st.f_blocks, 5);
	close(fd);
	leave();
}

static void
mounts_tell_their_options(void)
{
	mounted(MS_NOSUID | MS_NODEV, "size=64k,mode=700");
	check(listed("rw,nosuid,nodev,relatime,size=64k,mode=700"));
	checkeq(mount("t", AT, "tmpfs", MS_REMOUNT | MS_RDONLY | MS_NOEXEC |
		MS_NOATIME, ""), 0);
	check(listed("ro,noexec,noatime,size=64k,mode=700"));
	leave();
}

static void
statfs_tells_flags(void)
{
	struct statfs st;

	mounted(MS_NOSUID | MS_NODEV | MS_NOEXEC, "");
	must(statfs(AT, &st) == 0);
	checkeq(st.f_flags, 0x20 | 0x1000 | 14);
	checkeq(mount("t", AT, "tmpfs", MS_REMOUNT | MS_RDONLY | MS_NOATIME |
		MS_NODIRATIME, 0), 0);
	must(statfs(AT, &st) == 0);
	checkeq(st.f_flags, 0x20 | 0xc01);
	checkeq(st.f_namelen, 255);
	leave();
}

/* Read-only means that nothing changes, by any name or descriptor. */
static void
readonly_refuses_all(void)
{
	static const struct timespec times[2];
	int fd;

	mounted(0, 0);
	close(create(AT "/f"));
	must(mkdir(AT "/d", 0755) == 0);
	fd = open(AT "/f", O_RDWR);
	checkerr(mount("t", AT, "tmpfs", MS_REMOUNT | MS_RDONLY, 0), EBUSY);
	checkeq(write(fd, "x", 1), 1);
	close(fd);
	checkeq(mount("t", AT, "tmpfs", MS_REMOUNT | MS_RDONLY, 0), 0);
	checkerr(open(AT "/f", O_RDWR), EROFS);
	checkerr(open(AT "/f", O_RDONLY | O_TRUNC), EROFS);
	checkerr(open(AT "/g", O_RDWR | O_CREAT, 0644), EROFS);
	checkerr(mkdir(AT "/e", 0755), EROFS);
	checkerr(mkdir(AT "/d", 0755), EEXIST);
	checkerr(mknod(AT "/e", S_IFIFO | 0644, 0), EROFS);
	checkerr(symlink("f", AT "/e"), EROFS);
	checkerr(link(AT "/f", AT "/e"), EROFS);
	checkerr(unlink(AT "/f"), EROFS);
	checkerr(unlink(AT "/none"), EROFS);
	checkerr(rmdir(AT "/d"), EROFS);
	checkerr(rename(AT "/f", AT "/e"), EROFS);
	checkerr(chmod(AT "/f", 0600), EROFS);
	checkerr(chown(AT "/f", 1, 1), EROFS);
	checkerr(utimensat(AT_FDCWD, AT "/f", times, 0), EROFS);
	checkerr(truncate(AT "/f", 0), EROFS);
	checkerr(access(AT "/f", W_OK), EROFS);
	checkeq(access(AT "/f", R_OK), 0);
	fd = open(AT "/f", O_RDONLY);
	check(fd >= 0);
	checkerr(fchmod(fd, 0600), EROFS);
	checkeq(fsync(fd), 0);
	close(fd);
	checkeq(mount("t", AT, "tmpfs", MS_REMOUNT, 0), 0);
	checkeq(unlink(AT "/f"), 0);
	leave();
}

static void
nodev_noexec(void)
{
	char *const argv[] = {"t", 0};
	int fd;

	mounted(MS_NODEV | MS_NOEXEC, 0);
	must(mknod(AT "/null", S_IFCHR | 0666, makedev(1, 3)) == 0);
	checkerr(open(AT "/null", O_RDWR), EACCES);
	close(create(AT "/x"));
	must(chmod(AT "/x", 0755) == 0);
	checkerr(access(AT "/x", X_OK), EACCES);
	checkerr(execv(AT "/x", argv), EACCES);
	fd = open(AT "/x", O_RDWR);
	must(fd >= 0 && write(fd, "x", 1) == 1);
	check(mmap(0, PG, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) ==
		MAP_FAILED);
	checkeq(errno, EPERM);
	close(fd);
	checkeq(access(AT, X_OK), 0);
	leave();
}

static void
umount_is_busy(void)
{
	int fd;

	mounted(0, 0);
	fd = create(AT "/f");
	checkerr(umount(AT), EBUSY);
	checkerr(umount2(AT, MNT_FORCE), EBUSY);
	must(unlink(AT "/f") == 0);
	checkerr(umount(AT), EBUSY);
	close(fd);
	must(mkdir(AT "/d", 0755) == 0 && chdir(AT "/d") == 0);
	checkerr(umount2("../../" AT, 0), EBUSY);
	must(chdir("../..") == 0);
	must(mount("t", AT "/d", "tmpfs", 0, 0) == 0);
	checkerr(umount(AT), EBUSY);
	checkerr(rmdir(AT "/d"), EBUSY);
	checkerr(rename(AT "/d", AT "/e"), EBUSY);
	checkeq(umount(AT "/d"), 0);
	leave();
}

static void
umount_detached_lets_users_end(void)
{
	char buf[8] = "";
	int fd, up;

	mounted(0, 0);
	must((up = open(".", O_RDONLY | O_DIRECTORY)) >= 0);
	fd = create(AT "/f");
	checkeq(write(fd, "hello", 5), 5);
	must(mkdir(AT "/d", 0755) == 0 && chdir(AT "/d") == 0);
	checkeq(umount2("../../" AT, MNT_DETACH), 0);
	close(create("g"));
	checkeq(access("../f", F_OK), 0);
	checkeq(pread(fd, buf, 8, 0), 5);
	checkeq(memcmp(buf, "hello", 5), 0);
	checkeq(unlink("g"), 0);
	must(fchdir(up) == 0);
	close(fd);
	checkerr(umount(AT), EINVAL);
	checkeq(rmdir(AT), 0);
}

static void
umount_refuses(void)
{
	mounted(0, 0);
	checkerr(umount2(AT, 0x100), EINVAL);
	checkerr(umount2(AT, MNT_EXPIRE | MNT_DETACH), EINVAL);
	must(mkdir(AT "/d", 0755) == 0);
	checkerr(umount(AT "/d"), EINVAL);
	checkerr(umount(AT "/none"), ENOENT);
	must(symlink(AT, "t_mount_link") == 0);
	checkerr(umount2("t_mount_link", UMOUNT_NOFOLLOW), EINVAL);
	checkeq(umount("t_mount_link"), 0);
	must(unlink("t_mount_link") == 0);
	checkerr(umount(AT), EINVAL);
	must(rmdir(AT) == 0);
}

static void
mount_refuses(void)
{
	enter();
	close(create(AT "/f"));
	checkerr(mount("t", AT, "nosuchfs", 0, 0), ENODEV);
	checkerr(mount("t", AT "/none", "tmpfs", 0, 0), ENOENT);
	checkerr(mount("t", AT "/f", "tmpfs", 0, 0), ENOTDIR);
	checkerr(mount("t", AT, "tmpfs", MS_REMOUNT, 0), EINVAL);
	checkerr(mount("t", AT, (char *)8, 0, 0), EFAULT);
	checkerr(mount("t", AT, "tmpfs", 0, (char *)8), EFAULT);
	checkerr(mount(AT "/none", AT, "ext2", 0, 0), ENOENT);
	checkerr(mount(AT "/f", AT, "ext2", 0, 0), ENOTBLK);
	must(mknod(AT "/b", S_IFBLK | 0600, makedev(240, 77)) == 0);
	checkerr(mount(AT "/b", AT, "ext2", 0, 0), ENXIO);
	must(unlink(AT "/b") == 0 && unlink(AT "/f") == 0);
	must(seteuid(1) == 0);
	checkerr(mount("t", AT, "tmpfs", 0, 0), EPERM);
	checkerr(umount(AT), EPERM);
	must(seteuid(0) == 0);
	must(rmdir(AT) == 0);
}

const struct test t_mount[] = {
	T(tmpfs_size_is_kept),
	T(tmpfs_options_are_checked),
	T(tmpfs_size_changes_with_remount),
	T(mounts_tell_their_options),
	T(statfs_tells_flags),
	T(readonly_refuses_all),
	T(nodev_noexec),
	T(umount_is_busy),
	T(umount_detached_lets_users_end),
	T(umount_refuses),
	T(mount_refuses),
	{0}
};
