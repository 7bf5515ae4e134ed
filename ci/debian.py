#!/usr/bin/env python3
"""debian.py - Debian 12 for the i386 on a disk image: made, booted, compared.

The root is made once by debootstrap in build/debian and again only when the list
of packages changes; each run gets a copy of the image with ci/debian-jobs and the
tree's own source in /work.  The jobs run unattended, on Quire and on Debian's
Linux 6.1 i686 in the same QEMU, or in a chroot where the kernel has no say, and
what they print must be the same but for what normal() takes out.  Linux's
transcripts are kept until their job changes.

    debian.py jobs [JOB...]    run and compare, by default all of TABLE
    debian.py quire [JOB...]   run on Quire only, and print what they say
    debian.py disk             make the image for ci/boot --debian: its path
"""

import argparse
import atexit
import difflib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cpio
import linux
import qemu
from qemu import Failure

BUILD = os.path.join(qemu.ROOT, "build")
FOLDER = os.path.join(BUILD, "debian")
JOBS = os.path.join(qemu.ROOT, "ci", "debian-jobs")
BASE = os.path.join(FOLDER, "base.img")
MIRROR = "http://deb.debian.org/debian"
SIZE = "4G"

# A name that another package provides must be written as that package.
PACKAGES = """bash coreutils findutils tar gzip bzip2 xz-utils sed grep gawk
diffutils perl python3 libpython3.11-testsuite gcc libc6-dev make sqlite3 vim-tiny
less procps strace gdb libboost-regex1.74.0 time stress-ng meson ninja-build nasm
busybox util-linux bsdutils bsdextrautils e2fsprogs file psmisc""".split()

# Not worth their room.
UNWANTED = ["usr/share/doc", "usr/share/locale", "usr/share/man",
            "var/cache/apt", "var/lib/apt/lists", "debootstrap"]

# The first program: it needs nothing but what the image has anyhow.
START = """#!/bin/bash
tar -xf /work/in.tar -C /work && exec bash /work/jobs/init
"""

# In the order in which they run: name, RAM in MiB, seconds on a slow host.
TABLE = [
    ("bash", 256, 300),
    ("tools", 256, 600),
    ("time", 256, 300),
    ("find", 256, 600),
    ("python-mmap", 256, 600),
    ("python-os", 256, 600),
    ("python-subprocess", 512, 1800),
    ("python-tempfile", 256, 600),
    ("python-threading", 256, 900),
    ("python-multiprocessing_fork", 512, 2400),
    ("sqlite", 256, 1800),
    ("sort", 512, 1800),
    ("tar", 512, 2400),
    ("gcc", 512, 3000),
    ("build", 512, 3000),
    ("stress", 512, 1800),
]
NAMES = [name for name, _, _ in TABLE]

# What these print is the same on any Linux: the host's own, in a chroot, if it
# runs i386 programs.
CHROOTED = ["sort", "tar", "gcc", "build"]

# Those that ci/test runs when nothing is named.
SHORT = ["bash", "tools", "time", "find", "python-mmap", "python-tempfile"]


making = threading.Lock()


def digest(*parts):
    h = hashlib.sha256()
    for part in parts:
        h.update(part if isinstance(part, bytes) else part.encode())
        h.update(b"\0")
    return h.hexdigest()[:16]


def output(*args, **kw):
    """What a program prints; Failure with what it complained of."""
    r = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       **kw)
    if r.returncode:
        raise Failure("%s: status %d: %s" % (args[0], r.returncode,
                      r.stderr.decode("utf-8", "replace")[-400:]))
    return r.stdout


def sudo(*args):
    return (("sudo",) if os.getuid() else ()) + args


def asroot(*args):
    return output(*sudo(*args))


def debugfs(command, path, *options):
    output("/usr/sbin/debugfs", *options, "-R", command, path)


def key():
    return digest(" ".join(PACKAGES), " ".join(UNWANTED), SIZE, START, "mtab")


def base():
    """The image without the jobs, made if it is not there: its path."""
    mark = os.path.join(FOLDER, "base.key")
    if os.path.exists(BASE) and os.path.exists(mark):
        with open(mark) as f:
            if f.read() == key():
                return BASE
    for tool in "debootstrap", "mke2fs":
        if not shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin"):
            raise Failure("%s is not installed" % tool)
    root = os.path.join(FOLDER, "root")
    os.makedirs(os.path.join(FOLDER, "debs"), exist_ok=True)
    print("making the Debian image, once", file=sys.stderr, flush=True)
    asroot("rm", "-rf", root)
    if not linux.native():
        emulate()
    asroot("debootstrap", "--arch=i386", "--variant=minbase",
           "--cache-dir=" + os.path.join(FOLDER, "debs"),
           "--include=" + ",".join(PACKAGES), "bookworm", root, MIRROR)
    asroot("rm", "-rf", *(os.path.join(root, u) for u in UNWANTED))
    asroot("ln", "-s", "../proc/self/mounts", os.path.join(root, "etc/mtab"))
    asroot("mkdir", os.path.join(root, "work"))
    start = os.path.join(FOLDER, "start")
    with open(start, "w") as f:
        f.write(START)
    asroot("install", "-m", "755", start, os.path.join(root, "work", "start"))
    image(BASE, SIZE, root)
    asroot("rm", "-rf", root)
    with open(mark, "w") as f:
        f.write(key())
    return BASE


BINFMT = "/proc/sys/fs/binfmt_misc"
MAGIC = (r"\x7fELF\x01\x01\x01" + 9 * r"\x00" + r"\x02\x00\x03\x00:" +
         5 * r"\xff" + r"\xfe\xfe\x00" + 8 * r"\xff" + r"\xfe" + 3 * r"\xff")


def emulate():
    """Let the host run i386 programs by QEMU's user emulation, in a chroot too,
    until this process ends."""
    runner = shutil.which("qemu-i386-static") or shutil.which("qemu-i386")
    if not runner:
        raise Failure("this host runs no i386 programs, and has no qemu-i386")
    if not os.path.exists(BINFMT + "/register"):
        asroot("mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT)
    if os.path.exists(BINFMT + "/qemu-i386"):
        return
    print("qemu-i386 runs the host's i386 programs meanwhile", file=sys.stderr)
    asroot("sh", "-c", "printf %%s '%s' >%s/register" % (
        ":qemu-i386:M::" + MAGIC + ":" + runner + ":F", BINFMT))
    atexit.register(asroot, "sh", "-c", "echo -1 >%s/qemu-i386" % BINFMT)


def image(path, size, root):
    """An ext2 image of a directory."""
    asroot("/usr/sbin/mke2fs", "-q", "-F", "-t", "ext2", "-d", root, path, size)
    if os.getuid():
        asroot("chown", str(os.getuid()), path)


def git(*args):
    """Something of the last commit's tree, as far as the jobs compile it."""
    return output("git", "-C", qemu.ROOT, *args, "HEAD", "arch", "kern", "mm",
                  "usr", "iso", "meson.build", "meson_options.txt",
                  "cross-i686.ini")


def fresh(name, files={}):
    """A copy of the image with the jobs in it, and files (host's path by the path
    there): its path."""
    path = os.path.join(FOLDER, name + ".img")
    tar = os.path.join(FOLDER, name + ".tar")
    output("cp", "--sparse=always", "--reflink=auto", base(), path)
    with open(tar, "wb") as f:
        f.write(git("archive", "--prefix=src/"))
    output("tar", "-rf", tar, "--owner=0", "--group=0", "--mtime=@0",
           "--transform=s,^,jobs/,", "-C", JOBS, *sorted(os.listdir(JOBS)))
    for there, here in {"work/in.tar": tar, **files}.items():
        debugfs("write %s %s" % (here, there), path, "-w")
    os.unlink(tar)
    return path


def fsck(path):
    """Failure unless e2fsck finds nothing."""
    r = subprocess.run(["/usr/sbin/e2fsck", "-fn", path],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if r.returncode:
        raise Failure("e2fsck: %s" % r.stdout.decode("utf-8", "replace")[:600])


def disk(path):
    return ["-drive", "file=%s,format=raw,if=virtio,cache=unsafe" % path]


def quire(folder=BUILD):
    return {"kernel": os.path.join(folder, "quire.elf"),
            "append": "root=/dev/vda rootfstype=ext2 rw init=/work/start "
                      "console=ttyS0 quiet"}


def peer():
    """Debian's kernel, whose initramfs has the drivers."""
    kernel = linux.kernel("686")
    path = os.path.join(FOLDER, "linux.cpio")
    if not os.path.exists(path):
        with open(path, "wb") as f:
            f.write(linuxroot())
    return {"kernel": kernel, "initrd": path,
            "append": "rdinit=/init console=ttyS0 quiet mitigations=off "
                      "INIT=/work/start"}


def linuxroot():
    """An initramfs that mounts /dev/vda and goes on there."""
    a = cpio.Archive()
    for d in "bin", "dev", "proc", "root":
        a.dir(d)
    with open(linux.busybox(), "rb") as f:
        a.file("bin/busybox", f.read())
    a.link("bin/sh", "busybox")
    loading = linux.addmodules(a, "686", linux.DISK)
    a.file("init", "#!/bin/sh\nbusybox mount -t devtmpfs dev /dev\n" + loading +
           "busybox mount -t ext2 /dev/vda /root\nbusybox umount /dev\n"
           "exec busybox switch_root /root $INIT\n")
    return a.bytes()


def run(name, system, jobs, cpus=1, ram=None, keep=False, files={}):
    """Run jobs on a fresh image: their transcripts by name.  The image is checked,
    a kernel that was built in it booted, and it is removed unless keep."""
    path = fresh(name, files)
    times = {n: (r, t) for n, r, t in TABLE}
    ram = ram or max(times.get(j, (512, 0))[0] for j in jobs)
    seconds = 200 + sum(times.get(j, (0, 3600))[1] for j in jobs)
    system = dict(system)
    system["append"] += " JOBS=" + ",".join(jobs)
    with qemu.Machine(name=name, cpus=cpus, ram=ram, timeout=seconds,
                      extra=disk(path), **system) as m:
        m.wait()
        found = parts(m.text)
        if "=== done" not in m.text:
            raise Failure("the jobs did not end; last: %r" % m.text[-300:])
    fsck(path)
    if "build" in jobs:
        boots(path)
    if not keep:
        os.unlink(path)
    return found


def boots(path):
    """Failure unless the kernel that the job `build` left in an image runs."""
    kernel = path + ".elf"
    debugfs("dump var/tmp/quire.elf " + kernel, path)
    qemu.boot(name="debian-built", kernel=kernel, ram=256, timeout=300,
              initrd=os.path.join(BUILD, "initramfs-test.cpio"),
              append="init=/bin/t panic=exit quiet -- fork mmap pipe exec")
    os.unlink(kernel)


def chrooted(name, job):
    """Run a job on the host's kernel, which it cannot power off, on a fresh image:
    its transcript."""
    path = fresh(name)
    root = path + ".root"
    os.makedirs(root, exist_ok=True)
    r = subprocess.run(
        sudo("unshare", "--mount", "sh", "-ec", """
            mount -o loop "$1" "$2"
            mount --rbind /dev "$2/dev"
            exec setpriv --bounding-set=-sys_boot --inh-caps=-sys_boot \
                setarch i686 chroot "$2" env -i "JOBS=$3" /work/start
            """, "sh", path, root, job), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text = qemu.clean(r.stdout)
    found = parts(text)
    if job not in found:
        raise Failure("chroot: status %d; last: %r" % (r.returncode, text[-300:]))
    os.rmdir(root)
    os.unlink(path)
    return found[job]


def parts(text):
    """Transcripts by name of the job, normalised."""
    found = {}
    for m in re.finditer(r"^=== ([\w.-]+)\n(.*?)^(=== status \d+)$", text,
                         re.M | re.S):
        found[m.group(1)] = normal(m.group(2) + m.group(3) + "\n")
    return found


def normal(text):
    """Without what differs from run to run of one kernel."""
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)
    text = re.sub(r"^(\[ *\d+\.\d+\] |out of memory: killed ).*\n", "", text,
                  flags=re.M)
    text = re.sub(r"\b(Ran \d+ tests? in) [\d.]+s", r"\1 TIME", text)
    text = re.sub(r"(: line \d+): +\d+ (?=[A-Z])", r"\1: PID ", text)
    return re.sub(r"\b[Pp]id \d+", "pid PID", text)


def jobkey(job):
    with open(os.path.join(JOBS, "init"), "rb") as f:
        parts_ = [f.read()]
    with open(os.path.join(JOBS, job), "rb") as f:
        parts_.append(f.read())
    if job in ("gcc", "build"):
        parts_.append(git("ls-tree"))
    with open(os.path.join(JOBS, "pytest.py"), "rb") as f:
        parts_.append(f.read() if job.startswith("python") else b"")
    return digest(key(), *parts_)


def prepare():
    """See that there are an image and a Linux; Failure: why not."""
    with making:
        base()
        peer()


def reference(jobs):
    """Linux's transcripts by name, from an earlier run where there is one."""
    folder = os.path.join(FOLDER, "reference")
    os.makedirs(folder, exist_ok=True)
    paths = {j: os.path.join(folder, "%s-%s" % (j, jobkey(j))) for j in jobs}
    for j in jobs:
        if not os.path.exists(paths[j]):
            name = "debian-linux-" + j
            text = chrooted(name, j) if j in CHROOTED and linux.native() else \
                run(name, peer(), [j])[j]
            with open(paths[j], "w") as f:
                f.write(text)
    result = {}
    for j in jobs:
        with open(paths[j]) as f:
            result[j] = f.read()
    return result


def differences(want, got):
    return "".join(difflib.unified_diff(want.splitlines(True),
                                        got.splitlines(True),
                                        "linux", "quire", n=1))


def compare(jobs, folder=BUILD, cpus=1):
    """Run jobs on both: what differs, by name."""
    want = reference(jobs)
    got = {}
    for j in jobs:
        got.update(run("debian-" + j, quire(folder), [j], cpus=cpus))
    return {j: differences(want[j], got[j]) for j in jobs}


def keep():
    """The image that ci/boot uses: what is done in it stays."""
    path = os.path.join(FOLDER, "debian.img")
    made = base()
    if not os.path.exists(path) or \
            os.path.getmtime(path) < os.path.getmtime(made):
        output("cp", "--sparse=always", "--reflink=auto", made, path)
    return path


def main():
    ap = argparse.ArgumentParser(description="Debian on Quire")
    ap.add_argument("--release", action="store_true")
    ap.add_argument("--cpus", type=int, default=1)
    ap.add_argument("what", choices=["jobs", "quire", "disk"])
    ap.add_argument("words", nargs="*")
    a = ap.parse_args()
    folder = os.path.join(qemu.ROOT, "build-release") if a.release else BUILD
    try:
        if a.what == "disk":
            print(keep())
            return 0
        if a.what == "quire":
            for text in run("debian-quire", quire(folder), a.words or NAMES,
                            cpus=a.cpus).values():
                sys.stdout.write(text)
            return 0
        failed = 0
        for job, diff in compare(a.words or NAMES, folder, a.cpus).items():
            print("%s: %s" % (job, "differs" if diff else "the same"))
            sys.stdout.write(diff)
            failed += bool(diff)
        return min(failed, 1)
    except Failure as e:
        print("debian: %s" % e, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
