#!/usr/bin/env python3
"""ext2tests.py - images of ext2 for the suites: made, damaged, checked, unpacked.

As a command: the fuzzer and the power cut for as long as is wanted.
	ci/ext2tests.py fuzz FIRST N       images FIRST to FIRST + N - 1
	ci/ext2tests.py power FIRST N
"""

import hashlib
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cpio
import disks
import qemu
from qemu import Failure, Machine, boot

BUILD = os.path.join(qemu.ROOT, "build")
WORK = os.path.join(BUILD, "ci")
PERBOOT = 16  # damaged images in one boot, each a disk of its own

KINDS = {  # mke2fs's options, and CPUs
    "rev0": ("-r 0 -b 1024", 1),
    "1k": ("-b 1024 -I 128", 2),
    "2k": ("-b 2048 -g 4096", 1),
    "4k": ("-b 4096", 2),
    "groups": ("-b 1024 -g 1024 -O ^sparse_super,^resize_inode", 1),
}


def tool(*args, ok=(0,)):
    env = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin",
               MKE2FS_CONFIG="/dev/null")
    p = subprocess.run(args, stdout=subprocess.PIPE, env=env, timeout=120,
                       stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    text = p.stdout.decode("utf-8", "replace")
    if p.returncode not in ok:
        raise Failure("%s: status %d: %s" % (" ".join(args), p.returncode,
                                             text[-600:]))
    return text


def path(name):
    os.makedirs(WORK, exist_ok=True)
    return os.path.join(WORK, name)


def sample(name):
    """A folder of files of all kinds of lengths, links, directories."""
    r = random.Random(1)
    top = path(name + ".sample")
    if os.path.isdir(top):
        shutil.rmtree(top)
    for d in ("a/b/c", "many", "empty"):
        os.makedirs(os.path.join(top, d))
    for i, n in enumerate((0, 1, 1023, 1024, 1025, 12288, 12289, 70000,
                           274432, 275000, 900001)):
        with open(os.path.join(top, "a", "file%d" % i), "wb") as f:
            f.write(r.randbytes(n))
    for i in range(150):
        name = "entry%d" % i + "x" * r.choice((0, 3, 30, 200))
        with open(os.path.join(top, "many", name), "wb") as f:
            f.write(name.encode() * r.randrange(1, 40))
    with open(os.path.join(top, "a/sparse"), "wb") as f:
        f.seek(700000)
        f.write(b"behind the hole")
    os.symlink("file3", os.path.join(top, "a/short"))
    os.symlink("b/" + "../b/" * 40 + "../file3", os.path.join(top, "a/long"))
    os.link(os.path.join(top, "a/file3"), os.path.join(top, "a/b/hard"))
    return top


def mkfs(name, mb, options, folder=None):
    img = path(name)
    with open(img, "wb") as f:
        f.truncate(mb << 20)
    args = ["mke2fs", "-q", "-F", *options.split()]
    if not any(o in options for o in ("-t ", "-r ", "-O ")):
        args += ["-t", "ext2"]
    if folder:
        args += ["-d", folder]
    tool(*args, img)
    return img


def fsck(img):
    """e2fsck finds nothing."""
    tool("e2fsck", "-fn", img)


def isclean(img):
    return bool(re.search(r"state: +clean", tool("dumpe2fs", "-h", img)))


def sums(top):
    """What sha256sum prints for each file below, in order of their names."""
    out = []
    for where, _, files in os.walk(top):
        for f in files:
            p = os.path.join(where, f)
            if os.path.isfile(p) and not os.path.islink(p):
                with open(p, "rb") as g:
                    out.append("%s  ./%s" % (
                        hashlib.sha256(g.read()).hexdigest(),
                        os.path.relpath(p, top)))
    return sorted(out, key=lambda s: s[66:])


def unpack(img):
    """All files of an image, by debugfs, to a folder."""
    top = img + ".d"
    shutil.rmtree(top, ignore_errors=True)
    os.makedirs(top)
    tool("debugfs", "-R", "rdump / %s" % top, img)
    return top


def part(text, name):
    m = re.search("^==%s\n(.*?)^==END" % name, text, re.M | re.S)
    if not m:
        raise Failure("no part %s in the output; last: %r" % (name,
                                                              text[-300:]))
    return m.group(1).splitlines()


def root(name, script):
    """The tests' root with /ci.sh behind it."""
    with open(os.path.join(BUILD, "initramfs-test.cpio"), "rb") as f:
        data = f.read()
    head = "#!/bin/sh\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\nexport PATH\n" \
        "mkdir -p /mnt /r/m\n" \
        "die() { echo \"died: $*\"; dmesg | tail -5; exit 1; }\n" \
        "sums() { find . -type f ! -name huge -exec sha256sum {} + | sort -k 2; }\n" \
        "stats() { find . ! -name . -exec " \
        "stat -c '%n %a %u %g %h %s %Y %Z %F %t:%T %b' {} + | sort; }\n"
    a = cpio.Archive().file("ci.sh", head + script)
    out = path(name + ".cpio")
    with open(out, "wb") as f:
        f.write(data + a.bytes())
    return out


def drive(img, more=""):
    return ["-drive", "format=raw,if=virtio,file=" + img + more]


def machine(name, script, images, cpus=1, ram=256, timeout=120, more="", **kw):
    extra = []
    for img in images:
        extra += drive(img, more)
    return dict(name=name, kernel=os.path.join(BUILD, "quire.elf"),
                initrd=root(name, script), ram=ram, cpus=cpus,
                timeout=timeout, append="init=/ci.sh panic=exit quiet",
                extra=extra, **kw)


# Every operation, compared with ramfs; and what e2fsprogs think of it.

USE = """
mount -t ext2 /dev/vda /mnt || die mount
cd /mnt
echo ==MADE; sums; echo ==END
mkdir m
fstest model /mnt/m /r/m %(seed)d %(ops)d || die model
fstest many /mnt/many1 %(many)d || die many
tar cf all.tar a many || die tar
mkdir copy && tar xf all.tar -C copy || die untar
rm all.tar
cp -a many copy/again && rm -r many && mv copy/again many
touch -d '2001-02-03 04:05:06' a/file1; chown 70000:70001 a/file2
chmod 6751 a/file3; mknod a/dev b 8 17; mknod a/dev2 c 5 1
dd if=/dev/zero of=a/huge bs=1 count=1 seek=2200000000 2>/dev/null || die huge
fstest full /mnt || die full
stats >/before; sums >/sums
cd / && umount /mnt || die umount
mount -t ext2 -o ro /dev/vda /mnt || die again
cd /mnt
stats >/after; cmp /before /after || { diff /before /after | head; die stats; }
sums >/sums2; cmp /sums /sums2 || die sums
rm -f a/huge 2>/dev/null; [ -f a/huge ] || die read-only
cd / && umount /mnt && mount -t ext2 /dev/vda /mnt && rm /mnt/a/huge || die huge
cd /mnt; echo ==LEFT; sums; echo ==END
cd / && umount /mnt || die last umount
echo ext2-test: over
"""


def use(name, kind):
    options, cpus = KINDS[kind]
    top = sample(name)
    img = mkfs(name + ".img", 64, options, top)
    fsck(img)
    m = boot(expect="^ext2-test: over", **machine(
        name, USE % dict(seed=len(kind) * 7, ops=6000, many=1500), [img],
        cpus, 320))
    if part(m.text, "MADE") != sums(top):
        raise Failure("other bytes than mke2fs wrote")
    fsck(img)
    if part(m.text, "LEFT") != sums(unpack(img)):
        raise Failure("debugfs finds other bytes")


REFUSE = """
mount -t ext2 /dev/vda /mnt && die ext4
mount -t ext2 /dev/vdb /mnt && die a new ro feature, read-write
mount -t ext2 -o ro /dev/vdb /mnt || die a new ro feature, read-only
[ $(cat /mnt/a/file1 | wc -c) = 1 ] || die file1
umount /mnt
mount -t ext2 /dev/vdc /mnt && die zeroes
mount -t ext2 /dev/vdd /mnt && die too short
mount -t ext2 /dev/vde /mnt || die vde
echo one >/mnt/one; mkdir /mnt/d; exec 3>/mnt/open
mount -o remount,ro /mnt && die remount with a file open
exec 3>&-
mount -o remount,ro /mnt || die remount
echo two >/mnt/two && die written
mount -o remount,rw /mnt || die remount rw
echo two >/mnt/two || die two
rm /mnt/one; mount -o remount,ro /mnt || die remount again
echo ext2-test: over
dmesg | grep ext2:
"""


def refuse(name):
    """What cannot be mounted, and remounting."""
    top = sample(name)
    csum = mkfs(name + "-b.img", 8, "-t ext2 -I 256 -O metadata_csum", top)
    images = [mkfs(name + "-a.img", 8, "-O extent,64bit"), csum, path(name + "-c.img"),
              mkfs(name + "-d.img", 8, "-t ext2"),
              mkfs(name + "-e.img", 8, "-t ext2")]
    with open(images[2], "wb") as f:
        f.truncate(1 << 20)
    os.truncate(images[3], 4 << 20)
    m = boot(expect="^ext2-test: over", **machine(name, REFUSE, images))
    for want in ("vda: unknown features", "vdb: features",
                 "vdd: bad superblock: number of blocks"):
        if "ext2: " + want not in m.text:
            raise Failure("not told: " + want)
    fsck(images[4])
    if not isclean(images[4]):
        raise Failure("read-only, and not clean")


# Many at once, with little memory, while everything is written and forgotten.

CROWD = """
mount -t ext2 /dev/vda /mnt || die mount
mkdir /mnt/q; export EVERY=250
for i in 1 2 3 4; do
	mkdir /mnt/m$i /r/m$i
	fstest model /mnt/m$i /r/m$i $i 2500 || echo "died: model $i" &
done
fstest many /mnt/many 1000 || die many
exec 9>/mnt/open
while pidof fstest >/dev/null; do
	sync
	echo 3 >/proc/sys/vm/drop_caches
	umount /mnt 2>/dev/null && die busy
	mkdir /mnt/z && mv /mnt/z /mnt/q/z && rmdir /mnt/q/z || die z
done
exec 9>&-
wait
cat /proc/vmcheck || die vmcheck
umount /mnt || die umount
echo ext2-test: over
"""


def crowd(name):
    img = mkfs(name + ".img", 200, "-b 1024")
    m = boot(expect="^ext2-test: over", **machine(name, CROWD, [img], 4, 160))
    if "died:" in m.text:
        m.keeplog()
        raise Failure(re.search("died: .*", m.text).group(0))
    fsck(img)


# No memory at all.

NOMEM = """
mount -t ext2 /dev/vda /mnt || die mount
fstest nomem /mnt || die nomem
cat /proc/vmcheck || die vmcheck
umount /mnt || die umount
echo ext2-test: over
"""


def nomem(name):
    img = mkfs(name + ".img", 64, "-b 1024")
    boot(expect="^ext2-test: over", **machine(name, NOMEM, [img], ram=16))
    fsck(img)


# A disk that fails, here and there and then for good.

FAILS = """
mount -t ext2 /dev/vda /mnt || die mount
cat /mnt/a/file10 >/dev/null 2>/e && die "a bad block was read"
grep -q 'Input/output error' /e || die "another error: $(cat /e)"
cat /mnt/a/file9 >/dev/null || die "a good one was not"
cat /mnt/many/nothere 2>/e; grep -q 'Input/output error' /e ||
	die "a bad directory: $(cat /e)"
ls /mnt/a >/dev/null || die "a good directory"
dd if=/dev/zero of=/mnt/new bs=4k count=3 conv=fsync 2>/e &&
	die "fsync, and the inode was not written"
grep -q 'Input/output error' /e || die "another error: $(cat /e)"
cat /mnt/new | wc -c
cd /; umount /mnt || die umount
mount -t ext2 /dev/vda /mnt && umount /mnt
echo ext2-test: over
"""


def block(img, what):
    """The first number that debugfs says."""
    return tool("debugfs", "-R", what, img).split("\n")[-2].split()[0]


def failing(img, *bad):
    """QEMU's arguments: (read or write, block of 1 KiB) is an error."""
    return ["-blockdev", "driver=blkdebug,node-name=d0,image.driver=file,"
            "image.filename=%s" % img +
            "".join(",inject-error.%d.event=none,inject-error.%d.iotype=%s,"
                    "inject-error.%d.errno=5,inject-error.%d.sector=%d" %
                    (i, i, how, i, i, int(at) * 2)
                    for i, (how, at) in enumerate(bad)),
            "-device", "virtio-blk-pci,drive=d0"]


def fails(name):
    img = mkfs(name + ".img", 16, "-b 1024", sample(name))
    table = re.search(r"Inode table at (\d+)", tool("dumpe2fs", img)).group(1)
    kw = machine(name, FAILS, [])
    kw["extra"] = failing(img, ("read", block(img, "blocks /a/file10")),
                          ("read", block(img, "blocks /many")),
                          ("write", table))
    boot(expect="^ext2-test: over", **kw)


# Errors anywhere, while many copy, search, write and remove.

BADBLOCKS = """
mount -t ext2 /dev/vda /mnt || die mount
for i in 1 2 3 4; do
	mkdir /mnt/$i
	timeout 5 fstest power /mnt/$i $i >/dev/null &
	(for n in 1 2 3; do
		cp -r /mnt/a /mnt/many /mnt/$i
		sync
		find /mnt -type f | xargs cat
		rm -r /mnt/$i/a /mnt/$i/many
		echo 3 >/proc/sys/vm/drop_caches
	done) >/dev/null 2>/e$i &
done
wait
timeout 20 fstest walk /mnt >/dev/null
umount /mnt || die umount
cat /proc/vmcheck || die vmcheck
echo ext2-test: over
"""


def badblocks(name, seed):
    """Nobody hangs, and it can be unmounted."""
    r = random.Random(seed)
    img = mkfs(name + ".img", 16, "-b %d" % r.choice((1024, 4096)),
               sample(name))
    bad = [(r.choice(("read", "write")), r.choice((
        r.randrange(300, 1000), r.randrange(300, 16384)))) for _ in range(40)]
    kw = machine(name, BADBLOCKS, [], 4)
    kw["extra"] = failing(img, *bad)
    boot(expect="^ext2-test: over", **kw)


# The disk is taken away.

REMOVED = """
mount -t ext2 /dev/%s /mnt || die mount
fstest removed /mnt
umount /mnt || die umount
mount -t ext2 /dev/%s /mnt 2>&1 && die mounted
cat /proc/vmcheck || die vmcheck
echo ext2-test: over
"""

# As Linux 6.1 answers, but for "again": there fsync fails once for the data and
# once for the inode, here as long as the disk cannot say that all is written.
ANSWERS = """
read what was read; touch what was read; read what was not: EIO; touch what
was not: EIO; stat; look in a directory: EIO; list it: EIO; overwrite; append;
fsync: EIO; fsync again: EIO; read it; msync: EIO; msync again: EIO; create;
write that; fsync that: EIO; fsync that again: EIO; unlink; mkdir; truncate
"""


def olds(name):
    """A folder of files full of x."""
    top = path(name + ".sample")
    os.makedirs(os.path.join(top, "dir"), exist_ok=True)
    for n, size in ("old", 300000), ("cold", 300000), ("cold2", 300000), \
            ("dir/name", 1):
        with open(os.path.join(top, n), "wb") as f:
            f.write(b"x" * size)
    return top


def removed(name, kind):
    """What is in memory stays, the rest is EIO, and it can be unmounted."""
    img = mkfs(name + ".img", 16, "-b 1024", olds(name))
    disk, how, device = disks.DRIVERS[kind]
    kw = machine(name, REMOVED % (disk, disk), [])
    kw["extra"] = disks.drive(img) + device
    with Machine(qmp=True, **{**kw, **how}) as m:
        m.expect("^fstest: ready")
        m.monitor("drive_del d0")
        m.send("\n")
        m.expect("^ext2-test: over")
        if m.wait() != qemu.PASS:
            raise Failure("QEMU left with %d" % m.rc)
        compare(m, ANSWERS)
        if not re.search("^%s: I/O error: .* of .* sectors at" % disk, m.text,
                         re.M):
            raise Failure("no word about the sector")


TORN = """
mount -t ext2 /dev/%s /mnt || die mount
for i in 1 2 3 4; do
	mkdir /mnt/$i
	(fstest power /mnt/$i $i >/dev/null; echo $i >/gone) &
	(until [ -e /gone ]; do cp -r /mnt/a /mnt/$i; rm -r /mnt/$i/a; done) 2>/e &
done
echo fstest: ready
wait
umount /mnt || die umount
cat /proc/vmcheck || die vmcheck
echo ext2-test: over
"""


def torn(name, kind):
    """The same on four CPUs while many write: all of them come to an end."""
    img = mkfs(name + ".img", 32, "-b 1024", sample(name))
    disk, how, device = disks.DRIVERS[kind]
    kw = machine(name, TORN % disk, [], cpus=4)
    kw["extra"] = disks.drive(img) + device
    with Machine(qmp=True, **{**kw, **how, "cpus": 4}) as m:
        m.expect("^fstest: ready")
        m.drain(random.Random(name).uniform(0.5, 3))
        m.monitor("drive_del d0")
        m.expect("^ext2-test: over")
        if m.wait() != qemu.PASS:
            raise Failure("QEMU left with %d" % m.rc)
    tool("e2fsck", "-fy", img, ok=(0, 1))
    fsck(img)


# What an empty disk, a read-only one and one that gets full refuse, as Linux 6.1
# does; without a word: it works.

EDGES = """
mount nothing: EIO; read-only: EIO; mount a read-only disk: EACCES; read-only;
read; open to write: EROFS; open or create; create: EROFS; map: EACCES;
access: EROFS; truncate: EROFS; unlink: EROFS; unlink nothing: EROFS; mkdir:
EROFS; rmdir: EROFS; rename: EROFS; link: EROFS; symlink: EROFS; mknod: EROFS;
chmod: EROFS; chown: EROFS; touch: EROFS; fsync; remount: EACCES; unmount; one
more file: ENOSPC; mkdir: ENOSPC; symlink: ENOSPC; mknod: ENOSPC; link;
rename; unlink; unlink; create; unlink; write: ENOSPC; fsync; overwrite; write
in a hole: ENOSPC; read there; store there: EFAULT; mkdir: ENOSPC; short link;
unlink; long link: ENOSPC; make it longer; shorter; write in a hole; fsync;
write at 4 EiB: EFBIG; seek there: EINVAL; cut there: EFBIG; write up to 4
GiB; over it; read over it
"""

ERRORS = {"EIO": "Input/output error", "EROFS": "Read-only file system",
          "ENOSPC": "No space left on device", "EFAULT": "Bad address",
          "EACCES": "Permission denied", "EINVAL": "Invalid argument",
          "EFBIG": "File too large"}


# Who is told that a block cannot be written: each open file once.
UNWRITTEN = """
fsync; write; fsync: EIO; fsync again; another's fsync: EIO; and again; a new
one's; read; msync: EIO; again; new fsync: EIO; start; range: EIO; fsync then;
write through: EIO; elsewhere; fsync: EIO; fsync; write; fsync after sync:
EIO; fsync again; write; syncfs: EIO; syncfs again; write; syncfs after sync:
EIO; and again; close
"""


def unwritten(name):
    img = mkfs(name + ".img", 8, "-b 1024", olds(name))
    kw = machine(name, "mount -t ext2 /dev/vda /mnt || die mount\n"
                 "fstest unwritten /mnt || die unwritten\n"
                 "umount /mnt || die umount\necho ext2-test: over\n", [])
    kw["extra"] = failing(img, ("write", block(img, "blocks /old")))
    m = boot(expect="^ext2-test: over", **kw)
    fsck(img)
    compare(m, UNWRITTEN)


def edges(name):
    img = mkfs(name + ".img", 8, "-b 1024 -N 64")
    other = mkfs(name + "-ro.img", 8, "-b 1024", olds(name))
    with open(path(name + "-0.img"), "wb"):
        pass
    kw = machine(name, "mount -t ext2 /dev/vda /mnt || die mount\n"
                 "fstest edges /mnt /dev/vdb /dev/vdc || die edges\n"
                 "umount /mnt || die umount\ncat /proc/vmcheck || die vmcheck\n"
                 "echo ext2-test: over\n", [img])
    kw["extra"] += drive(other, ",readonly=on") + drive(path(name + "-0.img"))
    m = boot(expect="^ext2-test: over", **kw)
    fsck(img)
    compare(m, EDGES)


def compare(m, text):
    """Did fstest say that, line by line?"""
    said = re.findall("^says: (.*)", m.text, re.M)
    want = []
    for line in " ".join(text.split()).split("; "):
        what, _, error = line.partition(": ")
        want.append("%s: %s" % (what, ERRORS[error] if error else "ok"))
    for a, b in zip(said, want):
        if a != b:
            m.keeplog()
            raise Failure("it says %r, not %r" % (a, b))
    if len(said) != len(want):
        raise Failure("it says %d things, not %d" % (len(said), len(want)))


# Damage.

class Image:
    """Where things are in a sound image."""

    def __init__(self, data):
        self.data = data
        sb = data[1024:2048]
        self.bsize = 1024 << struct.unpack_from("<I", sb, 24)[0]
        self.isize = struct.unpack_from("<H", sb, 88)[0]
        inodes, blocks, _, _, _, first = struct.unpack_from("<6I", sb, 0)
        per, _, self.iper = struct.unpack_from("<3I", sb, 32)
        groups = -(-(blocks - first) // per)
        self.gd = (first + 1) * self.bsize
        self.places = [("super", 1024, 300), ("groups", self.gd, groups * 32)]
        for g in range(groups):
            bmap, imap, table = struct.unpack_from("<3I", data,
                                                   self.gd + g * 32)
            self.places += [("bitmap", bmap * self.bsize, self.bsize),
                            ("bitmap", imap * self.bsize, self.bsize)]
            for i in range(self.iper):
                self.inode(table * self.bsize + i * self.isize)

    def inode(self, at):
        mode, = struct.unpack_from("<H", self.data, at)
        if not mode:
            return
        block = struct.unpack_from("<15I", self.data, at + 40)
        self.places.append(("inode", at, 128))
        if mode >> 12 == 4:
            for b in filter(None, block[:12]):
                self.places.append(("dir", b * self.bsize, self.bsize))
        if mode >> 12 in (4, 8):
            for level in (1, 2, 3):
                self.indirect(block[11 + level], level)

    def indirect(self, block, level):
        if not block or level == 0:
            return
        at = block * self.bsize
        self.places.append(("indirect", at, self.bsize))
        for i in range(0, self.bsize, 4):
            self.indirect(struct.unpack_from("<I", self.data, at + i)[0],
                          level - 1)


def damaged(image, seed):
    """A copy with some bytes changed."""
    r = random.Random(seed)
    data = bytearray(image.data)
    kinds = sorted({p[0] for p in image.places})
    for _ in range(r.choice((1, 2, 4, 10, 40))):
        kind = r.choice(kinds)
        if kind in ("super", "groups") and r.random() < 0.6:
            kind = "inode"  # or little gets mounted
        _, at, n = r.choice([p for p in image.places if p[0] == kind])
        if kind == "indirect" or r.random() < 0.3:
            at += r.randrange(0, n, 4)
            known = r.choice(image.places)[1] // image.bsize
            struct.pack_into("<I", data, at, r.choice(
                (0, 1, known, known, 0xffffffff, r.randrange(3000),
                 r.getrandbits(32))))
        else:
            data[at + r.randrange(n)] ^= r.choice(
                (1 << r.randrange(8), r.getrandbits(8)))
    return data


FUZZ = """
for d in %s; do
	for how in ro rw; do
		mount -t ext2 -o $how /dev/$d /mnt 2>/dev/null || continue
		timeout 40 fstest walk /mnt >/dev/null || echo hang on $d
		timeout 20 cp -r /mnt/. /r/m 2>/dev/null
		rm -rf /r/m; mkdir /r/m
		umount /mnt || echo busy $d
	done
done
echo ext2-test: over
"""


def fuzz(name, first):
    """PERBOOT damaged images: read, written, unmounted; no panic, no hang."""
    images = []
    for bs in (1024, 4096):
        img = mkfs("%s-%d.img" % (name, bs), 3, "-b %d -N 256" % bs, sample(name))
        with open(img, "rb") as f:
            images.append(Image(f.read()))
    files = []
    for i in range(PERBOOT):
        files.append(path("%s-%d.img" % (name, i)))
        with open(files[-1], "wb") as f:
            f.write(damaged(images[i % 2], first + i))
    disks = " ".join("vd" + chr(97 + i) for i in range(PERBOOT))
    m = boot(expect="^ext2-test: over", **machine(
        name, FUZZ % disks, files, 1 + first // PERBOOT % 2, 192))
    bad = re.search("^(hang on|busy) .*", m.text, re.M)
    if bad:
        m.keeplog()
        raise Failure("images %d and on: %s" % (first, bad.group(0)))
    for f in files:
        os.unlink(f)


# The power goes.

POWER = """
mount -t ext2 /dev/vda /mnt || die mount
fstest power /mnt %d
die power
"""


def powercut(name, seed):
    """QEMU killed: what fsync had acknowledged is there after e2fsck -y."""
    r = random.Random(seed)
    img = mkfs(name + ".img", 48, "-b %d" % r.choice((1024, 4096)))
    kw = machine(name, POWER % seed, [img], 1 + seed % 2, 128)
    with Machine(**kw) as m:
        m.expect("^synced ")
        end = time.monotonic() + r.uniform(0, 2.5)
        while time.monotonic() < end and m.proc.poll() is None:
            m.read(end)
        if qemu.PANICTEXT.search(m.text) or "died:" in m.text:
            raise Failure("no power cut: %r" % m.text[-300:])
        m.proc.kill()
        m.proc.wait()
        while m.read(time.monotonic() + 1):
            pass
        text = m.text
        m.keeplog()
    if isclean(img):
        raise Failure("the power went, and it is clean")
    tool("e2fsck", "-fy", img, ok=(0, 1))
    fsck(img)
    return checksynced(text, unpack(img))


def checksynced(text, top):
    """The files that were written whole before the power went: how many."""
    last = {}
    for line in text[:text.rindex("\n")].splitlines():
        m = re.match(r"(begin|synced) (\S+)(?: (\d+) (\d+))?$", line)
        if m and m.group(1) == "begin":
            last.pop(m.group(2), None)
        elif m:
            last[m.group(2)] = int(m.group(3)), int(m.group(4))
    unfinished = text[text.rindex("\n") + 1:]
    for name, (n, length) in last.items():
        if unfinished.startswith("begin") and name.startswith(
                unfinished[6:]):
            continue
        want = b"".join(b"%08x%08x" % (n, i) for i in range(length // 16))
        try:
            with open(os.path.join(top, name), "rb") as f:
                got = f.read()
        except OSError as e:
            raise Failure("%s was synced: %s" % (name, e))
        if got != want:
            raise Failure("%s was synced: %d bytes instead of %d, or others" %
                          (name, len(got), len(want)))
    return len(last)


def main():
    how, first, n = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    for i in range(first, first + n, PERBOOT if how == "fuzz" else 1):
        if how == "fuzz":
            fuzz("ext2fuzz-manual", i)
            print("images %d to %d: ok" % (i, i + PERBOOT - 1), flush=True)
        else:
            print("cut %d: %d files as synced" %
                  (i, powercut("powercut-manual", i)), flush=True)


if __name__ == "__main__":
    try:
        main()
    except Failure as e:
        sys.exit("ext2tests.py: %s" % e)
