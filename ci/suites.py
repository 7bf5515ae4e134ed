#!/usr/bin/env python3
"""suites.py - every test, run by ci/test after it has built.

Each suite is a function that yields jobs; a job is (name, function) and its
function returns a list of results, so that a TAP run counts each of its tests.
Two jobs run at once.  One line per test; the last line is the count.
"""

import collections
import concurrent.futures
import glob
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cpio
import interactive
import qemu
from qemu import Failure, Machine, boot, status

ROOT = qemu.ROOT
BUILD = os.path.join(ROOT, "build")
KERNEL = os.path.join(BUILD, "quire.elf")
FULL = os.path.join(BUILD, "initramfs.cpio")
WORK = os.path.join(BUILD, "ci")

Result = collections.namedtuple("Result", "name ok seconds why")

lock = threading.Lock()
suites = collections.OrderedDict()


def suite(fn):
    suites[fn.__name__.replace("_", "-")] = fn
    return fn


def job(fn, *args, **kw):
    """Turn a function that raises Failure into one that returns its result."""
    def run(name):
        start = time.monotonic()
        why = ""
        try:
            fn(*args, **kw)
        except Failure as e:
            why = str(e)
        except (OSError, subprocess.SubprocessError) as e:
            why = "%s: %s" % (type(e).__name__, e)
        return [Result(name, not why, time.monotonic() - start, why)]
    return run


def command(args, name, timeout=300, **kw):
    """Run a host command; Failure with the path of its output if it fails."""
    p = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       stdin=subprocess.DEVNULL, timeout=timeout, cwd=ROOT,
                       **kw)
    if p.returncode != 0:
        raise Failure("status %d, see %s" %
                      (p.returncode, keep(name, p.stdout)))
    return p.stdout.decode("utf-8", "replace")


def keep(name, data):
    os.makedirs(qemu.LOGS, exist_ok=True)
    path = os.path.join(qemu.LOGS, name + ".log")
    with open(path, "wb") as f:
        f.write(data)
    return os.path.relpath(path, ROOT)


# The build.

@suite
def build_clang():
    """The kernel built by clang and linked by lld, without a warning."""
    yield "build-clang", job(clangbuild)


def clangbuild():
    folder = os.path.join(BUILD, "clang")
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        command(["meson", "setup", folder, "--cross-file",
                 "cross-i686-clang.ini", "-Dwerror=true", "-Dchecks=true"] +
                busyboxarg(), "build-clang")
    command(["ninja", "-C", folder, "quire.elf"], "build-clang")
    boot(name="build-clang", kernel=os.path.join(folder, "quire.elf"),
         initrd=smallroot(), append="panic=exit", ram=64,
         expect="^quire-test: up")


def busyboxarg():
    path = os.environ.get("QUIRE_BUSYBOX")
    return ["-Dbusybox=" + os.path.abspath(path)] if path else []


@suite
def includes():
    """The include rules, and that a broken one is noticed."""
    yield "includes", job(command, [sys.executable, "ci/includes.py"],
                          "includes")
    yield "includes-self-test", job(
        command, [sys.executable, "ci/includes.py", "--self-test"],
        "includes-self-test")


# Tests on the host.

@suite
def unit():
    """Kernel files compiled for the host against a reference model."""
    script = os.path.join(ROOT, "ci", "unit", "run")
    if os.path.exists(script):
        yield "unit", lambda name: tapcommand(name, [script])


@suite
def host():
    """The user programs' tests on the host's Linux: are the tests right?"""
    yield "host", lambda name: tapcommand(name, [program("t")])


def program(name):
    """A program of usr/ in the build folder."""
    for path in (os.path.join(BUILD, "usr", name), os.path.join(BUILD, name)):
        if os.path.isfile(path):
            return path
    found = [p for p in glob.glob(os.path.join(BUILD, "**", name),
                                  recursive=True)
             if os.path.isfile(p) and "/clang/" not in p]
    return found[0] if found else name


def tapcommand(name, args, timeout=400):
    start = time.monotonic()
    try:
        p = subprocess.run(args, stdout=subprocess.PIPE, cwd=ROOT,
                           stderr=subprocess.STDOUT, timeout=timeout,
                           stdin=subprocess.DEVNULL)
        text, rc = p.stdout.decode("utf-8", "replace"), p.returncode
    except (OSError, subprocess.TimeoutExpired) as e:
        text, rc = str(e), -1
    results = tap(name, text, time.monotonic() - start)
    if rc != 0 and all(r.ok for r in results):
        results.append(Result(name, False, 0, "status %d" % rc))
    if not all(r.ok for r in results):
        path = keep(name, text.encode())
        results = [r if r.ok else r._replace(why=r.why + " see " + path)
                   for r in results]
    return results


def tap(name, text, seconds):
    """One result per test line; one more if the plan is broken."""
    results = []
    notes = []
    plan = None
    for line in text.splitlines():
        m = re.match(r"1\.\.(\d+)", line)
        if m:
            plan = int(m.group(1))
        m = re.match(r"(not )?ok\b *(\d*) *-? *([^#]*)(#.*)?$", line)
        if m:
            why = "; ".join(notes[:4]) if m.group(1) else ""
            notes = []
            results.append(Result("%s/%s" % (name, m.group(3).strip()),
                                  not m.group(1), 0, why or ""))
        if line.startswith("#"):
            notes.append(line[1:].strip())
    if plan is None or plan != len(results) or plan == 0:
        results.append(Result(name, False, seconds, "planned %s, ran %d" %
                              (plan, len(results))))
    elif results:
        results[-1] = results[-1]._replace(seconds=seconds)
    return results


# Tests on Quire.

@suite
def usr():
    """The same tests on Quire."""
    yield "usr", lambda name: tapboot(
        name, kernel=KERNEL, initrd=testroot(), append="init=/bin/t panic=exit",
        ram=256, timeout=400)


def testroot():
    """The initramfs with what the tests need, if the build makes one."""
    path = os.path.join(BUILD, "initramfs-test.cpio")
    return path if os.path.exists(path) else FULL


def tapboot(name, **kw):
    """Boot init=/bin/t: its tests, and that the kernel left as it should."""
    start = time.monotonic()
    with Machine(name=name, **kw) as m:
        why = ""
        try:
            m.wait()
        except Failure as e:
            why = str(e)
        results = tap(name, m.text[max(0, m.text.find("1..")):],
                      time.monotonic() - start)
        if qemu.PANICTEXT.search(m.text):
            why = "the kernel panicked"
        elif not why and m.rc != qemu.PASS and all(r.ok for r in results):
            why = "QEMU left with %d" % m.rc
        if why:
            results.append(Result(name, False, 0, why))
        if not all(r.ok for r in results):
            path = os.path.relpath(m.keeplog(), ROOT)
            results = [r if r.ok else r._replace(why=r.why + " see " + path)
                       for r in results]
    return results


# Roots made here.

def write(name, data):
    path = os.path.join(WORK, name)
    with lock:
        os.makedirs(WORK, exist_ok=True)
        temp = path + ".new"
        with open(temp, "wb") as f:
            f.write(data)
        os.replace(temp, path)
    return path


def smallroot(script="echo quire-test: up\n", name="small.cpio"):
    """BusyBox and an init script: a root for machines with little memory."""
    with open(busybox(), "rb") as f:
        data = f.read()
    a = cpio.Archive()
    for d in ("bin", "dev", "proc", "tmp"):
        a.dir(d)
    a.add("dev/console", 0o020600, rdev=(5, 1))
    a.add("dev/null", 0o020666, rdev=(1, 3))
    a.file("bin/busybox", data).link("bin/sh", "busybox")
    a.file("init", "#!/bin/sh\nPATH=/bin\n" + script)
    return write(name, a.bytes())


def oldroot(crash=b"\x90", name="old.cpio"):
    """A root whose init says hello in instructions that a 486 has; with hlt
    for crash, it faults first."""
    text = b"quire-test: up\n"
    base, head = 0x8048000, 52 + 32
    code = crash + struct.pack("<BIBI", 0xb8, 4, 0xbb, 1)   # eax, ebx
    code += struct.pack("<BI", 0xb9, base + head + 40)       # ecx
    code += struct.pack("<BI", 0xba, len(text)) + b"\xcd\x80"
    code += b"\xb8\1\0\0\0" + b"\x31\xdb" + b"\xcd\x80"    # exit(0)
    body = code.ljust(40, b"\x90") + text
    total = head + len(body)
    elf = b"\x7fELF\1\1\1" + bytes(9) + struct.pack(
        "<HHIIIIIHHHHHH", 2, 3, 1, base + head, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    load = struct.pack("<IIIIIIII", 1, 0, base, base, total, total, 5, 4096)
    a = cpio.Archive().dir("dev").add("dev/console", 0o020600, rdev=(5, 1))
    a.file("init", elf + load + body)
    return write(name, a.bytes())


def busybox():
    for path in (os.environ.get("QUIRE_BUSYBOX"), "/bin/busybox"):
        if path and os.path.exists(path):
            return os.path.join(ROOT, path)
    raise Failure("no i386 busybox")


def withscript(name, script, files=()):
    """The full root and, behind it, a second archive with /ci.sh."""
    with open(FULL, "rb") as f:
        data = f.read()
    head = "#!/bin/sh\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\nexport PATH\n" \
        "mount -t proc proc /proc 2>/dev/null\n" \
        "mount -t devtmpfs dev /dev 2>/dev/null\nmkdir -p /tmp\n"
    a = cpio.Archive().file("ci.sh", head + script)
    for path, content in files:
        a.file(path, content)
    return write(name, data + a.bytes())


# The boot matrix.

def makeiso(name, append, initrd):
    """An ISO made as build/quire.iso is, with this command line, no menu."""
    path = os.path.join(WORK, name)
    cfg = write(name + ".cfg", (
        "set timeout=0\nmenuentry quire {\n"
        "multiboot /boot/quire.elf %s\n"
        "module /boot/initramfs.cpio\n}\n" % append).encode())
    command(["iso/mkiso", "i686-linux-gnu-strip", path, cfg, KERNEL, initrd],
            name)
    return path


# Loader, memory, machine: every pair of loader and machine, every amount of
# memory twice.
MATRIX = [
    ("kernel", 8, "pc"), ("kernel", 8, "q35"),
    ("kernel", 16, "pc"), ("cdrom", 16, "q35"),
    ("cdrom", 64, "pc"), ("hda", 64, "q35"),
    ("hda", 256, "pc"), ("kernel", 256, "q35"),
    ("kernel", 1024, "pc"), ("cdrom", 1024, "q35"),
    ("cdrom", 2048, "pc"), ("hda", 2048, "q35"),
    ("hda", 3500, "pc"), ("kernel", 3500, "q35"),
]

MATRIXINIT = """
busybox mount -t proc proc /proc || exit 2
ram=$(busybox sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo)
echo "quire-test: $ram kB"
busybox dd if=/dev/zero of=/tmp/x bs=64k count=8 2>/dev/null || exit 3
busybox seq 1 500 | busybox sort -rn | busybox head -n 1
busybox cat /proc/vmcheck || exit 4
echo quire-test: up
"""


@suite
def matrix():
    """Loaders, amounts of memory and machines."""
    root = smallroot(MATRIXINIT, "matrix.cpio")
    iso = makeiso("matrix.iso", "panic=exit", root)
    for loader, ram, machine in MATRIX:
        name = "matrix-%s-%d-%s" % (loader, ram, machine)
        yield name, job(matrixboot, name, loader, ram, machine, root, iso)
    for cpu in ("486", "pentium", "pentium3", "max"):
        name = "matrix-cpu-" + cpu
        yield name, job(boot, name=name, kernel=KERNEL, initrd=oldroot(),
                        cpu=cpu, append="panic=exit", ram=32,
                        expect="^quire-test: up")
    yield "matrix-shipped-iso", job(shippediso)


def matrixboot(name, loader, ram, machine, root, iso, **kw):
    how = {"kernel": {"kernel": KERNEL, "initrd": root,
                      "append": "panic=exit"},
           "cdrom": {"cdrom": iso}, "hda": {"hda": iso}}[loader]
    m = boot(name=name, ram=ram, machine=machine, expect="^quire-test: up",
             timeout=90, **how, **kw)
    total = int(re.search(r"quire-test: (\d+) kB", m.text).group(1)) // 1024
    least = min(ram, 1700) * 3 // 4 if ram > 16 else ram // 3
    if not least <= total <= ram:
        raise Failure("MemTotal is %d MiB of %d" % (total, ram))


def shippediso():
    """build/quire.iso as a user gets it: to a prompt, then power off."""
    with Machine(name="matrix-shipped-iso", timeout=90, ram=128,
                 cdrom=os.path.join(BUILD, "quire.iso")) as m:
        m.expect(interactive.PROMPT, 60)
        m.send("echo iso-$((40 + 2))\n")
        m.expect("^iso-42")
        m.send("poweroff\n")
        if m.wait() != 0:
            raise Failure("poweroff left QEMU with %d" % m.rc)


# Boots that must fail, each with its message.

@suite
def errors():
    """Broken or odd boots: a clear message and the right status."""
    small = smallroot()
    with open(small, "rb") as f:
        data = f.read()
    good = "^quire-test: up"
    bad = [
        # name, initramfs, command line, text, status, other options
        ("no-initramfs", None, "", r"^panic .*no initramfs", 253, {}),
        ("truncated", write("short.cpio", data[:len(data) // 2]), "",
         r"(?i)truncat", 253, {}),
        ("corrupt", write("corrupt.cpio", b"070701" + b"zz" * 200), "",
         r"(?i)corrupt|not a", 253, {}),
        ("not-cpio", write("text.cpio", b"hello, this is text\n" * 99), "",
         r"(?i)not a", 253, {}),
        ("no-init", small, "init=/bin/nosuch", r"(?i)/bin/nosuch", None, {}),
        ("init-not-program", small, "init=/dev/null", r"(?i)/dev/null", None,
         {}),
        ("init-exits-7", smallroot("exit 7\n", "seven.cpio"), "", None,
         status(7), {}),
        ("init-exits-200", smallroot("exit 200\n", "200.cpio"), "", None,
         status(63), {}),
        ("init-killed", oldroot(b"\xf4", "killed.cpio"), "",
         "init was killed by signal 11", status(63), {}),
        ("tiny-ram", small, "", r"^panic .*too little RAM", 253, {"ram": 4}),
        ("tiny-mem", small, "mem=4M", r"^panic .*too little RAM", 253, {}),
        ("mem-limit", smallroot(MATRIXINIT, "matrix.cpio"), "mem=32M",
         r"^quire-test: [23]\d{4} kB", 33, {}),
        ("bad-words", small, "mem=banana maxcpus=-3 console=nosuch0 nonsense "
         "=x init.y= root=/dev/sda1", good, 33, {}),
        ("long-words", small, "x=" + "y" * 700, good, 33, {}),
        ("quiet", small, "quiet", good, 33, {}),
        ("console-ttyS0", small, "console=ttyS0", good, 33, {}),
        ("four-cpus", small, "", good, 33, {"cpus": 4}),
    ]
    for name, initrd, words, text, rc, kw in bad:
        name = "errors-" + name
        yield name, job(errorboot, name, initrd, words, text, rc, kw)
    yield "errors-init-args", job(initargs)
    yield "errors-no-debug-exit", job(nodebugexit, small)


def errorboot(name, initrd, words, text, rc, kw):
    with Machine(name=name, kernel=KERNEL, initrd=initrd, timeout=30,
                 append=("panic=exit " + words).strip(),
                 **dict({"ram": 64}, **kw)) as m:
        m.wait()
        if rc is not None and m.rc != rc:
            raise Failure("QEMU left with %d, not %d" % (m.rc, rc))
        if rc is None and m.rc in (0, 1, qemu.PASS):
            raise Failure("QEMU left with %d" % m.rc)
        if rc != qemu.PANIC and rc is not None and \
                qemu.PANICTEXT.search(m.text):
            raise Failure("the kernel panicked")
        if text and not re.search(text, m.text, re.M):
            raise Failure("no /%s/ in the output; last: %r" %
                          (text, m.text[-200:]))


def initargs():
    root = smallroot('echo "args: $# <$1> <$2>"; echo "env: $FOO"\n',
                     "args.cpio")
    boot(name="errors-init-args", kernel=KERNEL, initrd=root, ram=64,
         append='panic=exit FOO="bar baz" -- one "two three"',
         expect=r"^args: 2 <one> <two three>\nenv: bar baz")


def nodebugexit(small):
    """Without the exit device and panic=exit, init's end powers off."""
    with Machine(name="errors-no-debug-exit", kernel=KERNEL, initrd=small,
                 timeout=30, ram=64) as m:
        if m.wait() != 0:
            raise Failure("QEMU left with %d, not 0" % m.rc)


# BusyBox: the same script here and there.

@suite
def busybox_script():
    """ci/busybox.sh, line by line as on the host."""
    yield "busybox-script", job(comparebusybox)


def comparebusybox():
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        there = pool.submit(hostscript)
        here = quirescript()
        want = there.result()
    for n, (a, b) in enumerate(zip(want, here), 1):
        if a != b:
            path = keep("busybox-script", "\n".join(here).encode())
            keep("busybox-script-host", "\n".join(want).encode())
            raise Failure("line %d is %r, not %r; see %s" % (n, b, a, path))
    if len(want) != len(here):
        raise Failure("%d lines, not %d" % (len(here), len(want)))


def scriptpath():
    return os.path.join(ROOT, "ci", "busybox.sh")


def hostscript():
    exe = os.path.realpath(busybox())
    with tempfile.TemporaryDirectory() as d:
        shutil.copy(scriptpath(), os.path.join(d, "busybox.sh"))
        os.mkdir(os.path.join(d, "bin"))
        os.mkdir(os.path.join(d, "w"))
        applets = command([exe, "--list"], "busybox-list").split()
        for name in applets + ["busybox"]:
            if not os.path.lexists(os.path.join(d, "bin", name)):
                os.symlink(exe, os.path.join(d, "bin", name))
        p = subprocess.run([exe, "sh", "../busybox.sh"], timeout=200,
                           cwd=os.path.join(d, "w"),
                           env={"PATH": os.path.join(d, "bin")},
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT)
    return p.stdout.decode("utf-8", "replace").splitlines()


def quirescript():
    with open(scriptpath(), encoding="utf-8") as f:
        text = f.read()
    root = withscript(
        "busybox.cpio",
        "mkdir -p /tmp/w; cd /tmp/w; cp /busybox.sh /tmp/busybox.sh\n"
        "env -i PATH=$PATH /bin/busybox sh ../busybox.sh </dev/null "
        ">/tmp/out 2>&1\necho ==BEGIN; cat /tmp/out; echo ==END\n",
        [("busybox.sh", text)])
    m = boot(name="busybox-script", kernel=KERNEL, initrd=root, ram=512,
             timeout=300, append="init=/ci.sh panic=exit quiet",
             expect="^==END")
    body = m.text[m.text.index("==BEGIN\n") + 8:]
    return body[:body.index("==END\n")].splitlines()


# A person at the terminal.

@suite
def typed():
    """Keys typed on the serial console, and what must come back."""
    for name, fn in interactive.TESTS:
        name = "typed-" + name
        yield name, job(typedboot, name, fn)


def typedboot(name, fn):
    with Machine(name=name, kernel=KERNEL, initrd=FULL, ram=128, timeout=90,
                 append="console=ttyS0") as m:
        m.expect(interactive.PROMPT, 60)
        fn(m)
        if qemu.PANICTEXT.search(m.text):
            raise Failure("the kernel panicked")


# Panics and leaks.

@suite
def panic():
    """A panic says where it was, and leaves with 253."""
    yield "panic", job(panicboot)
    yield "panic-not-for-users", job(panicuser)


def panicboot():
    root = withscript("panic.cpio", "echo c >/proc/sysrq-trigger\n")
    m = boot(name="panic", kernel=KERNEL, initrd=root, ram=64, panic=True,
             append="init=/ci.sh panic=exit", rc=qemu.PANIC,
             expect=r"^panic\b.*crash")
    for name in ("storesysrq", "sys_write", "syscall"):
        if not re.search(r"\b%s\b" % name, m.text):
            raise Failure("no %s in the backtrace" % name)


def panicuser():
    root = withscript(
        "panicuser.cpio",
        "echo 'u:x:100:100::/:/bin/sh' >>/etc/passwd\n"
        "su u -c 'echo c >/proc/sysrq-trigger' && exit 1\n"
        "su u -c 'cat /proc/vmcheck' && exit 2\n"
        "su u -c 'cat /proc/1/environ' && exit 3\n"
        "echo quire-test: refused\n")
    boot(name="panic-not-for-users", kernel=KERNEL, initrd=root, ram=64,
         append="init=/ci.sh panic=exit", expect="^quire-test: refused")


LEAK = """
work() {
	i=0
	while [ $i -lt 20 ]; do
		(seq 1 200 | sort | tail -n 1) >/dev/null
		cp /bin/busybox /tmp/b$i; rm /tmp/b$i
		mkdir -p /tmp/d/e; ln -s x /tmp/d/l; mkfifo /tmp/d/p; rm -r /tmp/d
		ls -lR /proc/self/fd /dev >/dev/null 2>&1
		ps >/dev/null; cat /proc/self/maps >/dev/null
		sh -c 'kill -SEGV $$' >/dev/null 2>&1
		nosuch 2>/dev/null
		sleep 5 & kill $!; wait $! 2>/dev/null
		mount -t tmpfs t /mnt && umount /mnt
		i=$((i + 1))
	done
}
mkdir -p /mnt
free() { sed -n 's/^MemFree: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo; }
work; work
a=$(free); work; b=$(free); work; work; c=$(free)
cat /proc/vmcheck || exit 2
echo "quire-test: free $a $b $c"
"""


@suite
def leaks():
    """Memory free after the same work, again and again."""
    yield "leaks", job(leakboot)


def leakboot():
    root = withscript("leaks.cpio", LEAK)
    m = boot(name="leaks", kernel=KERNEL, initrd=root, ram=128, timeout=150,
             append="init=/ci.sh panic=exit",
             expect=r"^quire-test: free \d+ \d+ \d+$")
    a, b, c = map(int, re.search(r"free (\d+) (\d+) (\d+)$", m.text,
                                 re.M).groups())
    if a - b > 8 or b - c > 8:
        raise Failure("free memory went from %d over %d to %d kB" % (a, b, c))


# Running them.

def choose(words):
    """The jobs of the suites and tests with these names (all without)."""
    unknown = set(words)
    jobs = []
    for name, fn in suites.items():
        if words and not any(belongs(w, name) for w in words):
            continue
        for jobname, run in prepare(name, fn):
            part = [w for w in words if w.startswith(jobname + "/")]
            if not words or name in words or jobname in words or part:
                jobs.append((jobname, run))
                unknown -= {name, jobname} | set(part)
    return jobs, unknown


def prepare(name, fn):
    """A suite's jobs; if it cannot even make them, one job that fails so."""
    try:
        return list(fn())
    except (Failure, OSError) as e:
        why = str(e)
        return [(name, lambda _: [Result(name, False, 0, why)])]


def belongs(word, suitename):
    """May the word name the suite or one of its tests?"""
    return word == suitename or word.startswith((suitename + "-",
                                                 suitename + "/"))


def show(r, colour):
    word = "ok  " if r.ok else "FAIL"
    if colour:
        word = "\033[3%dm%s\033[0m" % (2 if r.ok else 1, word)
    line = "%s %s" % (word, r.name)
    if r.seconds >= 0.05:
        line += " %.1f s" % r.seconds
    if not r.ok:
        log = os.path.join("build", "logs", r.name + ".log")
        line += ": " + r.why
        if "see " not in r.why and os.path.exists(os.path.join(ROOT, log)):
            line += "; see " + log
    print(line, flush=True)


def main():
    words = sys.argv[1:]
    if words and words[0] in ("--list", "-h", "--help"):
        for name, fn in suites.items():
            print("%-16s %s" % (name, fn.__doc__.splitlines()[0]))
        return 0
    os.makedirs(WORK, exist_ok=True)
    shutil.rmtree(qemu.LOGS, ignore_errors=True)
    colour = sys.stdout.isatty()
    jobs, unknown = choose(words)
    for word in sorted(unknown):
        print("no test or suite is named %s (see ci/test --list)" % word)
    passed, failed = 0, len(unknown)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        running = [pool.submit(run, name) for name, run in jobs]
        for done in concurrent.futures.as_completed(running):
            for r in done.result():
                show(r, colour)
                passed += r.ok
                failed += not r.ok
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
