#!/usr/bin/env python3
"""linux.py - Debian's Linux in QEMU, and what i386 programs do there.

Many tests expect of Quire what Linux does.  Where the host's kernel runs i386
programs, the host is asked; where it does not, the same programs run on Debian's
64-bit Linux 6.1, which runs them, in QEMU.  QEMU's user emulation is no judge: it
has signals, clone, ptrace and mmap of its own.

    linux.py COMMAND FILE...   run a shell command there; a file has the name that
                               it has here, or NAME=FILE.  77: there is no Linux
"""

import functools
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cpio
import qemu

FOLDER = os.path.join(qemu.ROOT, "build", "linux")
SKIP = 77

# Debian's package for each kind of kernel, and what is wanted of its files.
KINDS = {"686": "linux-image-686:i386", "amd64": "linux-image-amd64"}
WANTED = ["./boot/vmlinuz*"] + ["./lib/modules/*/kernel/" + d for d in (
    "arch/*", "crypto/*", "drivers/block/*", "drivers/virtio/*", "fs/*", "lib/*")]

# The modules for a virtio disk that has an ext2 or an ext4.
DISK = ["virtio_pci", "virtio_blk", "crc32c_generic", "ext4"]

fetching = threading.Lock()


class Missing(qemu.Failure):
    """There is no Linux to ask: no reason to call a test failed."""


@functools.lru_cache(None)
def native():
    """Does the host's own kernel run i386 programs?"""
    if os.path.exists("/proc/sys/fs/binfmt_misc/qemu-i386"):
        return False  # QEMU does
    try:
        return subprocess.run([busybox(), "true"]).returncode == 0
    except OSError:
        return False


def busybox():
    """The path of an i386 BusyBox, as ci/setup.sh looks for it."""
    for path in (os.environ.get("QUIRE_BUSYBOX"), "/bin/busybox",
                 "build/busybox/bin/busybox", "build/busybox/usr/bin/busybox"):
        path = path and os.path.join(qemu.ROOT, path)
        if path and os.path.exists(path):
            with open(path, "rb") as f:
                if f.read(5) == b"\x7fELF\1":
                    return path
    raise qemu.Failure("no i386 BusyBox; ci/test and ci/boot fetch one")


def kernel(kind):
    """The path of a kernel, fetched once into build/linux."""
    where = os.path.join(FOLDER, kind)
    with fetching:
        if not os.path.isdir(where):
            fetch(KINDS[kind], where)
    return glob.glob(os.path.join(where, "boot", "vmlinuz-*"))[0]


def fetch(package, where):
    """Unpack what this package, which has but a dependency, depends on."""
    new = where + ".new"
    shutil.rmtree(new, ignore_errors=True)
    os.makedirs(new)
    try:
        text = output(new, "apt-cache", "depends", package)
        name = re.search(r"Depends: (linux-image-\d\S+)", text).group(1)
        output(new, "apt-get", "download", "-q", "-o",
               "APT::Sandbox::User=root", name)
        output(new, "sh", "-c", "dpkg --fsys-tarfile *.deb | "
               "tar -x --wildcards \"$@\"; rm *.deb", "sh", *WANTED)
    except (OSError, AttributeError, subprocess.CalledProcessError) as e:
        raise Missing("no Linux kernel from apt (%s): %s" % (package, e))
    os.rename(new, where)


def output(folder, *args):
    return subprocess.run(args, cwd=folder, check=True, text=True,
                          stdout=subprocess.PIPE).stdout


def addmodules(archive, kind, names):
    """Put modules, with those that they need, into an initramfs: the shell's
    lines that load them.  What is built in needs none."""
    order = {}
    for name in names:
        closure(kind, name, order)
    archive.dir("modules")
    for name, data in order.items():
        archive.file("modules/%s.ko" % name, data)
    return "".join("busybox insmod /modules/%s.ko\n" % name for name in order)


def closure(kind, name, order):
    """Append a module's file by its name, those it needs first."""
    name = name.replace("-", "_")
    paths = [p for p in glob.glob(os.path.join(FOLDER, kind, "lib/modules/*/**/"
                                               "*.ko"), recursive=True)
             if os.path.basename(p)[:-3].replace("-", "_") == name]
    if name in order or not paths:
        return
    with open(paths[0], "rb") as f:
        data = f.read()
    for need in re.search(rb"\0depends=([^\0]*)\0", data).group(1).split(b","):
        if need:
            closure(kind, need.decode(), order)
    order[name] = data


INIT = """#!/bin/busybox sh
export PATH=/bin
mount() { busybox mount -t $*; }
mount proc proc /proc
mount sysfs sys /sys
mount devtmpfs dev /dev
busybox mkdir /dev/pts /dev/shm
mount devpts pts /dev/pts
mount tmpfs shm /dev/shm
%smount ext4 /dev/vda /tmp
busybox chmod 1777 /tmp /dev/shm
busybox --install -s /bin
cd /
echo 0 >status
{ echo ==BEGIN; sh /script || echo $? >status; } </dev/null 2>&1 | cat
echo "==END $(cat status)"
poweroff -f
"""


def root(script, files):
    """The initramfs: BusyBox, the files by their paths there, the script."""
    a = cpio.Archive()
    made = {""}
    for d in "bin", "dev", "proc", "sys", "tmp":
        parents(a, made, d + "/x")
    a.add("dev/console", 0o020600, rdev=(5, 1))
    loading = addmodules(a, "amd64", DISK)
    files = dict(files, **{"bin/busybox": busybox()})
    for name, path in files.items():
        parents(a, made, name)
        with open(path, "rb") as f:
            a.file(name.lstrip("/"), f.read())
    return a.file("script", script).file("init", INIT % loading).bytes()


def parents(archive, made, name):
    """Make the folders that a name is in."""
    folder = os.path.dirname(name.strip("/"))
    if folder not in made:
        parents(archive, made, folder)
        archive.dir(folder)
        made.add(folder)


def run(name, script, files, timeout=600):
    """Let Linux run a shell script, as root in an empty /: its status, and what it
    prints.  files: the host's path of each by its path there."""
    image = kernel("amd64")
    base = os.path.join(qemu.ROOT, "build", "ci", name)
    os.makedirs(os.path.dirname(base), exist_ok=True)
    with open(base + ".cpio", "wb") as f:
        f.write(root(script, files))
    with open(base + ".img", "wb") as f:
        f.truncate(4 << 30)
    subprocess.run(["/usr/sbin/mke2fs", "-q", "-F", "-t", "ext4", f.name],
                   check=True)
    with qemu.Machine(name=name, kernel=image, initrd=base + ".cpio", ram=1024,
                      append="console=ttyS0 quiet loglevel=0 mitigations=off "
                      "rdinit=/init", program=("qemu-system-x86_64",),
                      extra=("-drive", "if=virtio,format=raw,cache=unsafe,file=" +
                             f.name), timeout=timeout) as m:
        m.wait()
        found = re.search(r"^==BEGIN\n(.*)==END (\d+)$", m.text, re.M | re.S)
        if not found:
            raise qemu.Failure("Linux did not end; last: %r" % m.text[-300:])
    os.unlink(base + ".cpio")
    os.unlink(base + ".img")
    return int(found.group(2)), found.group(1)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and QEMU ends, too
    try:
        status, text = run("linux-%d" % os.getpid(), sys.argv[1],
                           {f.split("=")[0]: f.split("=")[-1]
                            for f in sys.argv[2:]}, timeout=3600)
    except Missing as e:
        print(e)
        return SKIP
    sys.stdout.write(text)
    return status


if __name__ == "__main__":
    sys.exit(main())
