#!/usr/bin/env python3
"""suites.py - every test, run by ci/test after it has built.

Each suite is a function that yields jobs; a job is (name, function) and its
function returns a list of results, so that a TAP run counts each of its tests.
Two jobs run at once, or one that has several CPUs.  Some suites run only when
they are named.  One line per test; the last line is the count.
"""

import base64
import collections
import concurrent.futures
import functools
import glob
import gzip
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bench
import cpio
import debian
import disks as disktests
import ext2tests
import interactive
import linux
import qemu
import tlbmutants
from qemu import Failure, Machine, boot, status

ROOT = qemu.ROOT
BUILD = os.path.join(ROOT, "build")
RELEASE = os.path.join(ROOT, "build-release")
KERNEL = os.path.join(BUILD, "quire.elf")
FULL = os.path.join(BUILD, "initramfs.cpio")
WORK = os.path.join(BUILD, "ci")

# ok: True, False, or None: it could not be tried here
Result = collections.namedtuple("Result", "name ok seconds why")

lock = threading.Lock()
suites = collections.OrderedDict()
ondemand = set()  # the names of those that only run when they are named


def suite(fn):
    suites[fn.__name__.strip("_").replace("_", "-")] = fn
    return fn


def named(fn):
    """A suite that takes too long for every run."""
    ondemand.add(fn.__name__.strip("_").replace("_", "-"))
    return suite(fn)


def wide(run):
    """A job that needs both of the host's CPUs that we use."""
    run.width = 2
    return run


class Places:
    """Room for two jobs, or a wide one, in the order in which they come."""

    def __init__(self, n):
        self.free = n
        self.queue = threading.Lock()
        self.change = threading.Condition()

    def run(self, fn, name):
        width = getattr(fn, "width", 1)
        with self.queue, self.change:
            self.change.wait_for(lambda: self.free >= width)
            self.free -= width
        try:
            return fn(name)
        finally:
            with self.change:
                self.free += width
                self.change.notify_all()


def job(fn, *args, **kw):
    """Turn a function that raises Failure into one that returns its result."""
    def run(name):
        start = time.monotonic()
        why = ""
        try:
            fn(*args, **kw)
        except linux.Missing as e:
            return [Result(name, None, time.monotonic() - start, str(e))]
        except Failure as e:
            why = str(e)
        except Exception as e:  # a test's own bug is a failure, not an end
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

BUILDS = {  # cross file and checks of each folder
    "build": ("", "true"), "build-release": ("", "false"),
    "build/clang": ("-clang", "true"),
    "build/clang-release": ("-clang", "false"),
}


@suite
def builds():
    """GCC, clang and lld, with and without checks: no warnings, i486 only."""
    for folder in BUILDS:
        name = "builds-" + folder.replace("build/", "").replace(
            "build-", "").replace("build", "gcc")
        yield name, job(buildcheck, name, folder)


def buildcheck(name, folder):
    cross, checks = BUILDS[folder]
    if not os.path.exists(os.path.join(ROOT, folder, "build.ninja")):
        command(["meson", "setup", folder, "--cross-file",
                 "cross-i686%s.ini" % cross, "-Dwerror=true",
                 "-Dchecks=" + checks] + busyboxarg(), name)
    text = command(["ninja", "-C", folder], name)
    if "warning" in text.lower():
        raise Failure("warnings, see " + keep(name, text.encode()))
    if "no work to do" not in command(["ninja", "-C", folder], name):
        raise Failure("a second ninja finds work to do")
    kernel = os.path.join(ROOT, folder, "quire.elf")
    for vaddr, _, flags in segments(kernel):
        if flags & 3 == 3:
            raise Failure("segment %x is writable and executable" % vaddr)
    oldcode(kernel, name)
    boot(name=name, kernel=kernel, initrd=smallroot(), append="panic=exit",
         ram=64, expect="^quire-test: up")


# What a 486 does not have; what the kernel uses where it found the CPU to have
# it (rdtsc, fxsave, fxrstor) is not among it.
NEWCODE = re.compile(
    r"\t(?:(?:f?cmov|fu?comip?|nop[wl]\b|sys(?:enter|exit|call|ret)|endbr|"
    r"cmpxchg8b|(?:rd|wr)msr|rdtscp|prefetch|[lms]fence|emms|popcnt|movbe|"
    r"lzcnt)\w*.*|.*%[xyz]?mm\d.*)$", re.M)


def oldcode(kernel, name):
    """Nothing in the kernel is newer than the i486."""
    text = command(["i686-linux-gnu-objdump", "-d", "--no-show-raw-insn",
                    "--section=.text", kernel], name)
    found = NEWCODE.findall(text)
    if found or "\tiret" not in text:
        raise Failure("not for a 486: " + ", ".join(
            sorted({f.strip() for f in found})[:5]))


def segments(kernel):
    """(address, size, flags) of what is loaded of an ELF file."""
    with open(kernel, "rb") as f:
        image = f.read()
    phoff, = struct.unpack_from("<I", image, 28)
    heads = [struct.unpack_from("<8I", image, phoff + i * 32)
             for i in range(struct.unpack_from("<H", image, 44)[0])]
    return [(h[2], h[5], h[6]) for h in heads if h[0] == 1]


def busyboxarg():
    path = os.environ.get("QUIRE_BUSYBOX")
    return ["-Dbusybox=" + os.path.abspath(path)] if path else []


@suite
def includes():
    """Who may include and call whom, and that a broken rule is noticed."""
    yield "includes", job(command, [sys.executable, "ci/includes.py"],
                          "includes")
    yield "includes-self-test", job(
        command, [sys.executable, "ci/includes.py", "--self-test"],
        "includes-self-test")
    yield "ties", job(command, [sys.executable, "ci/ties.py"], "ties")
    yield "ties-self-test", job(
        command, [sys.executable, "ci/ties.py", "--self-test"],
        "ties-self-test")


@suite
def style():
    """The layout and the words of CONTRIBUTING.md, and that a slip is noticed."""
    yield "style", job(command, [sys.executable, "ci/style.py"], "style")
    yield "style-self-test", job(
        command, [sys.executable, "ci/style.py", "--self-test"],
        "style-self-test")


@suite
def documents():
    """Links, names and drawings of doc/ are those of the tree; slips are noticed."""
    for name, args in (("check", []), ("drawings/draw", ["--check"])):
        what = "documents-" + os.path.basename(name)
        for arg, tail in ((args, ""), (["--self-test"], "-self-test")):
            yield what + tail, job(command, [sys.executable, "doc/" + name] +
                                   arg, what + tail)


# The tests' own test: what is not a pass, must not pass.

def pretend(text="", rc=qemu.PASS):
    """Options of a Machine that prints text and leaves with rc."""
    return {"program": ("sh", "-c", "printf '%s' \"$0\"; exit " + str(rc),
                        text), "timeout": 20}


GOODTAP = "noise\n1..2\nok 1 - a\nok 2 - b\n"
BADTAP = {
    "left-with-0": (GOODTAP, 0), "left-with-1": (GOODTAP, 1),
    "panicked-status": (GOODTAP, qemu.PANIC),
    "no-plan": ("ok 1 - a\nok 2 - b\n", qemu.PASS),
    "no-tests": ("1..0\n", qemu.PASS), "no-output": ("", qemu.PASS),
    "missing-ok": ("1..3\nok 1 - a\nok 2 - b\n", qemu.PASS),
    "skipped-number": ("1..2\nok 1 - a\nok 3 - b\n", qemu.PASS),
    "twice-the-same": ("1..2\nok 1 - a\nok 1 - a\n", qemu.PASS),
    "one-too-many": (GOODTAP + "ok 3 - c\n", qemu.PASS),
    "not-ok": ("1..2\nok 1 - a\nnot ok 2 - b\n", qemu.PASS),
    "panic-text": (GOODTAP + "panic on CPU 0: x\n", qemu.PASS),
}


@suite
def harness():
    """The tests' test: an unexpected status, plan or text is a failure."""
    yield "harness-good", job(harnessgood)
    for name, (text, rc) in BADTAP.items():
        yield "harness-" + name, job(harnessbad, text, rc)
    for name, text, rc in (("status-0", "up\n", 0), ("status-1", "up\n", 1),
                           ("no-text", "down\n", qemu.PASS),
                           ("panic", "up\npanic on CPU 0: x\n", qemu.PASS)):
        yield "harness-boot-" + name, job(
            mustfail, boot, expect="^up", **pretend(text, rc))
    yield "harness-triple-fault", job(triplefault)
    yield "harness-hang", job(mustfail, boot, program=("sleep", "60"),
                              timeout=1)
    yield "harness-unknown-name", job(unknownname)


def harnessgood():
    results = tapboot("harness-good", **pretend(GOODTAP))
    if [r.ok for r in results] != [True, True]:
        raise Failure("a good run gives %s" % (results,))
    boot(expect="^up", **pretend("up\n"))


def harnessbad(text, rc):
    if all(r.ok for r in tapboot("harness-bad", **pretend(text, rc))):
        raise Failure("it passes")


def mustfail(fn, **kw):
    try:
        fn(name="harness-bad", **kw)
    except Failure:
        return
    raise Failure("it passes")


def triplefault():
    """A kernel that triple-faults: QEMU leaves with 0, and that is noticed."""
    base, flags, magic = 0x100000, 1 << 16, 0x1badb002
    image = struct.pack("<8I", magic, flags, -(magic + flags) & 0xffffffff,
                        base, base, 0, 0, base + 32)
    image += b"\x0f\x01\x1d" + struct.pack("<I", base + 64) + b"\xcc"  # lidt
    path = write("triple.bin", image.ljust(4096, b"\0"))
    with Machine(name="harness-triple", kernel=path, timeout=20) as m:
        if m.wait() != 0:
            raise Failure("QEMU left with %d, not 0" % m.rc)
    mustfail(boot, kernel=path, timeout=20)


def unknownname():
    p = subprocess.run([sys.executable, __file__, "no-such-test"],
                       stdout=subprocess.PIPE, text=True)
    if p.returncode != 1 or not p.stdout.endswith("\n0 passed, 1 failed\n"):
        raise Failure("status %d, output %r" % (p.returncode, p.stdout))


# Tests on the host.

@suite
def unit():
    """Kernel files compiled for the host against a reference model."""
    script = os.path.join(ROOT, "ci", "unit", "run")
    if os.path.exists(script):
        yield "unit", lambda name: tapcommand(name, [script])


@suite
def host():
    """The user programs' tests on Linux: are the tests right?"""
    yield "host", hosttests


# What Debian's Linux 6.1, which is asked where the host runs no i386 programs,
# does in another way than a newer one.
OLDLINUX = {
    "anon_files_have_no_path": "before 6.16 their mode can be changed",
    "elf_interpreter": "before 6.7 it kills one whose last page is read-only",
    "pagemap_bits": "Debian's has a bit for pages written to",
    "rss_of_holes": "before 6.2 each thread counts 64 pages for itself",
    "smaps_lines": "before 6.2 each thread counts 64 pages for itself",
    "smaps_object": "before 6.2 each thread counts 64 pages for itself",
    "timer_many": "before 6.13 a signal on its way outlives its timer",
}


def hosttests(name):
    t = program("t")
    if linux.native():
        return tapcommand(name, [t])
    results = tapcommand(name, ["python3", "ci/linux.py", "cd /tmp; /bin/t",
                                "bin/t=" + t], timeout=900)
    return [r if r.ok else oldlinux(r) for r in results]


def oldlinux(r):
    why = OLDLINUX.get(r.name.partition("/")[2])
    return r._replace(ok=None, why="Linux 6.1: " + why) if why else r


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
    if rc == linux.SKIP:
        return [Result(name, None, time.monotonic() - start, text.strip())]
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
            if m.group(2) != str(len(results)):
                results[-1] = results[-1]._replace(ok=False, why="it is the "
                                                   "%dth" % len(results))
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
    """The same tests on Quire, and those that run out of memory."""
    yield "usr", lambda name: tapboot(
        name, kernel=KERNEL, initrd=testroot(), append="init=/bin/t panic=exit",
        ram=256, timeout=400)
    yield "usr-oom", lambda name: tapboot(
        name, kernel=KERNEL, initrd=testroot(), ram=64, timeout=200,
        append="init=/bin/t panic=exit quiet -- oom")


# On several CPUs.

def testboot(name, cpus=1, words="", env="", timeout=600, **kw):
    """The tests with these names, or all, on so many CPUs: a job."""
    run = lambda name: tapboot(
        name, kernel=KERNEL, initrd=testroot(), cpus=cpus, timeout=timeout,
        append=" ".join(["init=/bin/t panic=exit quiet", env, "--", words]),
        **dict({"ram": 256}, **kw))
    return name, wide(run) if cpus > 1 and not kw.get("icount") else run


@suite
def parallel():
    """The tests, 1,000 rounds of each race, job control: on 2 and 4 CPUs."""
    yield testboot("parallel-usr-4", 4)
    yield testboot("parallel-race-2", 2, "race", "RACES=1000")
    yield "parallel-jobs-4", wide(job(jobsboot, "parallel-jobs-4", 4))


@named
def parallel_full():
    """The tests, 10,000 rounds of each race, typed ones: on 1 to 8 CPUs."""
    for n in (1, 2, 4, 8):
        yield testboot("parallel-full-usr-%d" % n, n, timeout=1200)
        yield testboot("parallel-full-oom-%d" % n, n, "oom", ram=64, timeout=900)
        yield testboot("parallel-full-race-%d" % n, n, "race", "LIMIT=1000",
                       timeout=4000)
    for name, fn in interactive.TESTS:
        name = "parallel-full-typed-" + name
        yield name, wide(job(typedboot, name, fn, cpus=4))
    yield "parallel-full-jobs-8", wide(job(jobsboot, "parallel-full-jobs-8", 8))


def jobsboot(name, cpus):
    typedboot(name, interactive.busyjobs, cpus=cpus, timeout=240,
              initrd=withscript("jobs.cpio", "", interactive.BUSYFILES))


# One CPU at a time, the same in every run: a seed has another RTC, so other
# addresses; other delays in the races; and another number of instructions
# between timer interrupts, where the CPUs take turns.

def seeds(prefix, numbers):
    for n in numbers:
        yield testboot("%s-%d" % (prefix, n), 2 + n % 3, icount=True,
                       seed=n, env="SEED=%d LIMIT=1000" % n, timeout=300)
        yield testboot("%s-race-%d" % (prefix, n), 2 + n % 3, "race",
                       "SEED=%d RACES=200 LIMIT=1000" % n, icount=True,
                       seed=n, timeout=300)


@suite
def icount():
    """The tests and races on CPUs that take turns, with two seeds."""
    yield from seeds("icount", (1, 2))


@named
def icount_full():
    """The same with 20 seeds."""
    yield from seeds("icount-full", range(1, 21))


@named
def tlbmutants_():
    """Kernels with one TLB flush left out: each must be caught."""
    yield "tlbmutants-none", wide(job(tlbmutants.prepare))
    for m in tlbmutants.MUTANTS:
        yield "tlbmutants-" + m[0], wide(job(tlbmutants.check, m))


@named
def debian_():
    """Debian's own programs, from a disk, print what they do on Linux."""
    yield from debianjobs(debian.SHORT)


@named
def debian_full():
    """The same with gcc, Meson, all of Python's tests, stress-ng, ..."""
    yield from debianjobs(debian.NAMES)


def debianjobs(names):
    for name in names:
        yield "debian-" + name, lambda n, name=name: debianjob(n, name)


def debianjob(name, what):
    """A job on both systems; skipped where there is no image or no Linux."""
    start = time.monotonic()
    try:
        debian.prepare()
    except Failure as e:
        return [Result(name, None, time.monotonic() - start, str(e))]
    return job(debianrun, what)(name)


def debianrun(what):
    diff = debian.compare([what])[what]
    if diff:
        raise Failure("not what Linux does, see %s" %
                      keep("debian-" + what + "-diff", diff.encode()))


@suite
def soak():
    """Two minutes of everything at once on 4 CPUs."""
    yield "soak", wide(job(soakboot, "soak", 120))


@named
def soak_long():
    """Half an hour of it."""
    yield "soak-long", wide(job(soakboot, "soak-long", 1800))


def soakboot(name, seconds):
    seed = int(time.time()) % 1000000
    boot(name=name, kernel=KERNEL, initrd=testroot(), cpus=4, ram=256,
         timeout=seconds + 200, expect="^soak: passed, seed %d" % seed,
         append="init=/bin/soak panic=exit -- %d %d" % (seconds, seed))


@suite
def shared():
    """The tests and hello.c with the C library shared, at fixed addresses and
    at any."""
    yield "shared", lambda name: tapboot(
        name, kernel=KERNEL, initrd=sharedroot(), ram=256, timeout=400,
        append="init=/bin/t-shared panic=exit quiet")
    for name in ("hello-shared", "hello-pie", "hello-static-pie"):
        yield "shared-" + name, job(sameoutput, name, sharedroot())


def sharedroot():
    return os.path.join(BUILD, "initramfs-shared.cpio")


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


@suite
def programs():
    """hello.c as glibc and as musl link it prints what it does on Linux."""
    for name in ("hello", "hello-musl"):
        if os.path.exists(program(name)):
            yield "programs-" + name, job(sameoutput, name)


def sameoutput(name, initrd=None):
    want = onlinux("hello" if initrd else name)
    boot(name="programs-" + name, kernel=KERNEL, ram=64,
         initrd=initrd or testroot(),
         append="panic=exit quiet init=/bin/" + name,
         expect="^" + re.escape(want))


def onlinux(name):
    """What a program prints on Linux."""
    if linux.native():
        return command([program(name)], name)
    with asking:
        return linuxprints()[name]


asking = threading.Lock()


@functools.lru_cache(None)
def linuxprints():
    """What each program prints on Linux in QEMU, by its name: one boot for all."""
    found = {n: program(n) for n in ("hello", "hello-musl", "pthreads",
                                     "pthreads-musl")}
    found = {n: p for n, p in found.items() if os.path.exists(p)}
    script = "".join("echo ==%s; /bin/%s || exit\n" % (n, n) for n in found)
    rc, text = linux.run("linux-programs", script,
                         {"bin/" + n: p for n, p in found.items()})
    if rc != 0:
        raise Failure("status %d on Linux; last: %r" % (rc, text[-200:]))
    return dict(re.findall(r"^==(\S+)\n(.*?)(?=^==|\Z)", text, re.M | re.S))


@suite
def pthreads():
    """The pthread programs upon glibc and musl print what they do on Linux."""
    for name in ("pthreads", "pthreads-musl"):
        if os.path.exists(program(name)):
            for smp in (1, 4):
                yield "%s-smp%d" % (name, smp), job(sametopics, name, smp)


def sametopics(name, smp):
    """The whole output, and where it differs first."""
    want = onlinux(name).splitlines()
    m = boot(name="%s-smp%d" % (name, smp), kernel=KERNEL, initrd=testroot(),
             ram=128, cpus=smp, timeout=150,
             append="panic=exit quiet init=/bin/" + name,
             expect="^pthreads: over$")
    got = [s.rstrip() for s in m.text.splitlines()]
    first = got.index(want[0]) if want[0] in got else 0
    for ours, theirs in zip(got[first:], want):
        if ours != theirs:
            raise Failure("'%s' instead of '%s'" % (ours, theirs))


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
    with open(linux.busybox(), "rb") as f:
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


@suite
def disks():
    """Drivers of disks, partitions, errors."""
    yield from disktests.jobs(sys.modules[__name__])


@suite
def ext2():
    """ext2: every operation, as ramfs does it; e2fsck and debugfs look on."""
    for kind, (_, cpus) in ext2tests.KINDS.items():
        run = job(ext2tests.use, "ext2-" + kind, kind)
        yield "ext2-" + kind, wide(run) if cpus > 1 else run
    yield "ext2-crowd", wide(job(ext2tests.crowd, "ext2-crowd"))
    for fn in ("refuse", "nomem", "fails", "unwritten", "edges"):
        yield "ext2-" + fn, job(getattr(ext2tests, fn), "ext2-" + fn)
    for i in range(3):
        name = "ext2-badblocks-%d" % i
        yield name, wide(job(ext2tests.badblocks, name, i))
    for kind in ("virtio", "ide-dma", "ide-pio", "ahci"):
        name = "ext2-removed-" + kind
        yield name, job(ext2tests.removed, name, kind)
        if kind != "ide-pio":  # that machine has but one CPU
            name = "ext2-torn-" + kind
            yield name, wide(job(ext2tests.torn, name, kind))


@suite
def mapped():
    """The tests of files and mappings with their files on an ext2; races."""
    yield ondisk("mapped-1", 1, 4096, "mapfile mmap mlock cache file_ "
                 "name mount limit disk_ elf_reads", "")
    yield ondisk("mapped-4", 4, 1024, "mapfile mlock cache", "tlbcheck")
    yield ondisk("mapped-short", 1, 1024, "short_memory", "", ram=16)
    yield ondisk("mapped-short-4", 4, 4096, "short_memory", "", ram=16)
    for cpus, size in (2, 4096), (4, 1024):
        yield ondisk("mapped-%d-race" % cpus, cpus, size, " ".join(MAPRACES),
                     "RACES=200")


@named
def mapped_full():
    """10,000 rounds of each race of a file on an ext2, on 4 CPUs."""
    for i, race in enumerate(MAPRACES):
        yield ondisk("mapped-full-" + race, 4, 1024 << 2 * (i % 2), race,
                     "LIMIT=3000", timeout=3000)


MAPRACES = ["unlink_against_pagein", "kill_during_pagein",
            "write_against_msync", "truncate_against_msync",
            "truncate_against_fork", "fault_against_truncate",
            "umount_against_users", "umount_against_all",
            "remount_against_changes"]


def ondisk(name, cpus, size, words, env, timeout=400, ram=256):
    """The tests with these names, whose files are on an ext2, and that have
    another to mount: a job.  No flush waits for the host's disk."""
    def run(name):
        images = [ext2tests.mkfs("%s-%d.img" % (name, mb), mb, "-b %d" % size)
                  for mb in (64, 8)]
        results = tapboot(
            name, kernel=KERNEL, initrd=testroot(), cpus=cpus, ram=ram,
            append="init=/bin/t panic=exit quiet DISK=/dev/vda SPARE=/dev/vdb "
            "%s -- %s" % (env, words), timeout=timeout,
            extra=[a for img in images
                   for a in ext2tests.drive(img, ",cache=unsafe")])
        for img in images:
            ext2tests.fsck(img)
        return results
    return name, wide(run) if cpus > 1 else run


@suite
def ext2fuzz():
    """Damaged images are mounted, read, written: no panic, no hang."""
    for i in range(4):
        yield "ext2fuzz-%d" % i, job(ext2tests.fuzz, "ext2fuzz-%d" % i,
                                     i * ext2tests.PERBOOT)


@named
def ext2fuzz_long():
    """Sixty more."""
    for i in range(4, 64):
        yield "ext2fuzz-%d" % i, job(ext2tests.fuzz, "ext2fuzz-%d" % i,
                                     i * ext2tests.PERBOOT)


@suite
def powercut():
    """QEMU is killed while it writes: e2fsck repairs, fsync has kept its word.
    """
    for i in range(20):
        yield "powercut-%d" % i, job(ext2tests.powercut, "powercut-%d" % i, i)


@named
def powercut_long():
    """Two hundred more."""
    for i in range(20, 220):
        yield "powercut-%d" % i, job(ext2tests.powercut, "powercut-%d" % i, i)


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


# Every loader with every amount of memory, and both with either machine.
MATRIX = [(loader, ram, ("pc", "q35")[(i + j) % 2])
          for i, loader in enumerate(("kernel", "cdrom", "hda"))
          for j, ram in enumerate((8, 16, 64, 256, 1024, 2048, 3500))]

MATRIXINIT = """
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
    for cpu in ("486", "pentium", "pentium3", "qemu32", "max"):
        name = "matrix-cpu-" + cpu
        yield name, job(boot, name=name, kernel=KERNEL, initrd=oldroot(),
                        cpu=cpu, append="panic=exit", ram=32,
                        expect="^quire-test: up")
    yield "matrix-shipped-iso", job(shippediso)
    for loader in ("cdrom", "hda"):
        name = "matrix-grub-quiet-" + loader
        yield name, job(grubquiet, name, loader)


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


ESCAPES = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")


def grubquiet(name, loader):
    """From the BIOS to the kernel's first line, nothing on the screen of the
    shipped ISO speaks of an error.

    GRUB writes to the screen through the BIOS, and QEMU's BIOS repeats it on the
    second serial line if the file etc/sercon-port holds that line's port."""
    port = write("sercon-port", struct.pack("<H", 0x2f8))
    screen = os.path.join(WORK, name + ".screen")
    with Machine(name=name, timeout=60,
                 extra=("-serial", "file:" + screen, "-fw_cfg",
                        "name=etc/sercon-port,file=" + port),
                 **{loader: os.path.join(BUILD, "quire.iso")}) as m:
        m.expect(r"\bQuire \d.*CPU", 50)
    with open(screen, "rb") as f:
        text = ESCAPES.sub("", qemu.clean(f.read()))
    why = re.findall(r"(?i)^.*(?:error|warning|not found|fail).*$", text, re.M)
    if not why and not ("GRUB" in text and "Booting `Quire'" in text):
        why = ["nothing of GRUB's"]
    if why:
        raise Failure("the screen shows %s, see %s" % (
            why[0].strip(), keep(name + "-screen", text.encode())))


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
        ("gzip", write("gzip.cpio", gzip.compress(data, 1)), "",
         r"(?i)compressed with gzip", 253, {}),
        ("not-cpio", write("text.cpio", b"hello, this is text\n" * 99), "",
         r"(?i)not a", 253, {}),
        ("no-init", small, "init=/bin/nosuch", r"(?i)/bin/nosuch", 253, {}),
        ("init-not-program", small, "init=/dev/null", r"(?i)/dev/null", 253,
         {}),
        ("no-init-at-all", write("empty.cpio", cpio.Archive().dir("dev")
                                 .bytes()), "", r"^panic .*no init: ", 253, {}),
        ("no-pse", small, "", r"needs a CPU with 4 MiB pages", 253,
         {"cpu": "486,-pse"}),
        ("init-exits-7", smallroot("exit 7\n", "seven.cpio"), "", None,
         status(7), {}),
        ("init-exits-200", smallroot("exit 200\n", "200.cpio"), "", None,
         status(63), {}),
        ("init-kill-9", smallroot("kill -9 $$; echo alive\n", "kill9.cpio"),
         "", "^alive", 33, {}),
        ("init-killed", oldroot(b"\xf4", "killed.cpio"), "",
         "init was killed by signal 11", status(63), {}),
        ("tiny-ram", small, "", r"^panic .*too little RAM", 253, {"ram": 4}),
        ("tiny-mem", small, "mem=4M", r"^panic .*too little RAM", 253, {}),
        ("mem-limit", smallroot(MATRIXINIT, "matrix.cpio"), "mem=32M",
         r"^quire-test: [23]\d{4} kB", 33, {}),
        ("bad-words", small, "mem=banana maxcpus=-3 console=nosuch0 nonsense "
         "=x init.y= rootfstype=nosuch", good, 33, {}),
        ("no-root", small, "root=/dev/sda1",
         r"^panic .*root=/dev/sda1: no such device", 253, {}),
        ("long-words", small, "x=" + "y" * 700, good, 33, {}),
        ("quiet", small, "quiet", good, 33, {}),
        ("console-ttyS0", small, "console=ttyS0", good, 33, {}),
        ("access-kills", FULL, "init=/bin/t -- trap_null_segment",
         r"^t\[\d+\]: read at 0, eip ", 33, {}),
        ("access-handled", FULL,
         "init=/bin/t RACES=20 -- fault_against_munmap",
         r"(?s)\A(?!.*^t\[\d+\]: )", 33, {}),
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


# Several CPUs.

SMPINIT = r"""
busybox sleep 0.2
cpus=$(busybox grep -c ^processor /proc/cpuinfo)
stat=$(busybox grep -c '^cpu[0-9]' /proc/stat)
ticking=$(busybox grep LOC /proc/interrupts | busybox tr -s ' ' '\n' |
    busybox grep -c '^[1-9]')
echo "quire-test: $cpus $stat $(busybox nproc) cpus, $ticking tick"
"""

SMPCASES = [  # name, CPUs that run, words of the command line, options
    ("1", 1, "", {}),
    ("2", 2, "", {"cpus": 2}),
    ("4", 4, "", {"cpus": 4}),
    ("8", 8, "", {"cpus": 8, "timeout": 120}),
    ("12", 8, "", {"cpus": 12, "timeout": 120}),
    ("cores", 4, "", {"extra": ("-smp", "4")}),
    ("q35", 4, "", {"cpus": 4, "machine": "q35"}),
    ("mp-table", 4, "", {"cpus": 4, "machine": "pc,acpi=off"}),
    ("mp-table-q35", 2, "", {"cpus": 2, "machine": "q35,acpi=off"}),
    ("icount", 4, "", {"cpus": 4, "icount": True}),
    ("maxcpus-1", 1, "maxcpus=1", {"cpus": 2}),
    ("maxcpus-2", 2, "maxcpus=2", {"cpus": 4}),
    ("maxcpus-3", 3, "maxcpus=3", {"cpus": 4}),
    ("noapic", 1, "noapic", {"cpus": 4}),
]


@suite
def smp():
    """How many CPUs start, and that each has its clock."""
    root = smallroot(SMPINIT, "smp.cpio")
    for name, n, words, kw in SMPCASES:
        name = "smp-" + name
        ticking = 0 if words == "noapic" else n
        yield name, job(boot, name=name, kernel=KERNEL, initrd=root,
                        append=("panic=exit " + words).strip(),
                        expect="^quire-test: %d %d %d cpus, %d tick" %
                        (n, n, n, ticking), **dict({"ram": 64}, **kw))
    for cpu in ("486", "pentium"):
        name = "smp-" + cpu
        yield name, job(boot, name=name, kernel=KERNEL, initrd=oldroot(),
                        cpu=cpu, cpus=2, append="panic=exit", ram=32,
                        expect="^quire-test: up")
    yield "smp-panic", job(smppanic)


def smppanic():
    """A panic stops the other CPUs and tells what they did."""
    root = smallroot("for i in 1 2 3 4; do while :; do :; done & done\n"
                     "busybox sleep 0.5; echo c >/proc/sysrq-trigger\n",
                     "smppanic.cpio")
    m = boot(name="smp-panic", kernel=KERNEL, initrd=root, cpus=4, ram=64,
             append="panic=exit", rc=qemu.PANIC, panic=True,
             expect=r"^panic on CPU \d, pid 1 \(init\): sysrq")
    others = re.findall(r"^CPU (\d), pid \d+ \(init\): eip", m.text, re.M)
    if len(set(others)) != 3 or m.text.count("panic on CPU") != 1:
        raise Failure("of the others: %r" % m.text[-500:])


# BusyBox: the same script here and there.

@suite
def busybox_script():
    """ci/busybox.sh, line by line as on Linux."""
    run = job(comparebusybox)
    yield "busybox-script", run if linux.native() else wide(run)


def comparebusybox():
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        there = pool.submit(hostscript if linux.native() else linuxscript)
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
    exe = os.path.realpath(linux.busybox())
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
                           stderr=subprocess.STDOUT, preexec_fn=heedint)
    return p.stdout.decode("utf-8", "replace").splitlines()


def linuxscript():
    rc, text = linux.run("linux-script", BUSYBOXSCRIPT,
                         {"busybox.sh": scriptpath()})
    if rc != 0:
        raise Failure("status %d on Linux" % rc)
    return text.splitlines()


def heedint():
    """ci/test in the background ignores what its script expects to work."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)


BUSYBOXSCRIPT = "mkdir -p /tmp/w; cd /tmp/w; cp /busybox.sh /tmp/busybox.sh\n" \
    "env -i PATH=$PATH /bin/busybox sh ../busybox.sh </dev/null 2>&1\n"


def quirescript():
    with open(scriptpath(), encoding="utf-8") as f:
        text = f.read()
    root = withscript(
        "busybox.cpio",
        "(" + BUSYBOXSCRIPT + ") >/tmp/out\n"
        "echo ==BEGIN; cat /tmp/out; echo ==END\n",
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


def typedboot(name, fn, cpus=1, timeout=90, initrd=FULL):
    with Machine(name=name, kernel=KERNEL, initrd=initrd, ram=128, cpus=cpus,
                 timeout=timeout, append="console=ttyS0") as m:
        m.expect(interactive.PROMPT, 60)
        fn(m)
        if qemu.PANICTEXT.search(m.text):
            raise Failure("the kernel panicked")


# What the processor has mapped, asked of QEMU's monitor.

@suite
def paging():
    """The kernel's mappings: what is there, what not, and how protected."""
    for checks, folder in (("", BUILD), ("-release", RELEASE)):
        kernel = os.path.join(folder, "quire.elf")
        yield "paging" + checks, job(pagingboot, kernel, cpu=None)
        yield "paging-early" + checks, job(pagingearly, kernel)
    yield "paging-486", job(pagingboot, KERNEL, cpu="486")


def pagingboot(kernel, cpu):
    """While init waits.  Everything above the user's half is as meant."""
    script = "busybox yes | busybox head -n 99 >/dev/null; echo waiting; " \
        "read line\n"
    with Machine(name="paging", kernel=kernel, ram=64, qmp=True, cpu=cpu,
                 initrd=oldroot(b"\xeb\xfe", "spin.cpio") if cpu else
                 smallroot(script, "wait.cpio"), timeout=30) as m:
        if not cpu:
            m.expect("^waiting")
        ranges = []
        while m.alive() and not any(r[2][0] == "u" for r in ranges):
            m.drain(0.1)
            ranges = mapped(m)
        if not ranges or ranges[0][0] < 0x1000:
            raise Failure("the user's half is %s" % (ranges[:3],))
        checkregisters(m.monitor("info registers"), cpu)
        checkkernel(kernel, ranges)
        checkentries(m.monitor("info tlb"), not cpu)


def pagingearly(kernel):
    """Before the first program: nothing at all in the user's half."""
    with Machine(name="paging-early", kernel=kernel, ram=64, qmp=True,
                 timeout=30) as m:
        m.expect("^panic .*no initramfs")
        ranges = mapped(m)
        if ranges[0][0] != KERNBASE:
            raise Failure("mapped below the kernel: %x-%x %s" % ranges[0])
        checkkernel(kernel, ranges)


KERNBASE, VMAP, DEVSPACE, SUPER = 0x80000000, 0xf0000000, 0xfe000000, 4 << 20


def mapped(m):
    """(start, end, rights) of each range, from the monitor's info mem."""
    return [(int(a, 16), int(b, 16), how) for a, b, how in re.findall(
        r"^(\w+)-(\w+) \w+ (\S+)$", m.monitor("info mem"), re.M)]


def checkkernel(kernel, ranges):
    """Text and rodata can't be written, nothing of the kernel's is the user's,
    kernel stacks lie between holes."""
    (text, _, _), _, (data, _, _) = sorted(segments(kernel))
    stacks = [r for r in ranges if VMAP <= r[0] < DEVSPACE]
    want = [(KERNBASE, text, "-rw"), (text, data, "-r-")]
    have = [r for r in ranges if r[0] >= KERNBASE]
    if have[:2] != want or have[2][0] != data:
        raise Failure("the kernel is mapped as %s" % (have[:3],))
    if any(r[2] != "-rw" for r in have[2:]):
        raise Failure("other rights than rw: %s" % (have[2:],))
    if not stacks or any(end - start != 8192 for start, end, _ in stacks):
        raise Failure("kernel stacks without holes between: %s" % (stacks,))
    if have[-1][:2] != (DEVSPACE, 1 << 32):
        raise Failure("the last mapping is %x-%x %s" % have[-1])


def checkregisters(text, cpu):
    cr = {n: int(v, 16) for n, v in re.findall(r"(CR[0-4])=(\w+)", text)}
    if not cr["CR0"] & 1 << 16:
        raise Failure("CR0.WP is off")
    if not cpu and not cr["CR4"] & 1 << 7:
        raise Failure("CR4.PGE is off")


def checkentries(text, globalpages):
    """RAM above the kernel's first 4 MiB: 4 MiB pages, global if there are
    such; user pages never are; device registers are not cached."""
    entries = [(int(a, 16), how) for a, how in
               re.findall(r"^(\w+): \w+ (\S+)$", text, re.M)]
    for va, how in entries:
        bits = set(how) - {"-", "A", "D"}
        if va < KERNBASE:
            bad = "U" not in bits or "G" in bits
        elif KERNBASE + SUPER <= va < KERNBASE + 15 * SUPER:
            bad = bits != {"P", "W"} | ({"G"} if globalpages else set())
        elif va >= DEVSPACE:
            bad = "C" not in bits
        else:
            bad = "U" in bits or ("G" in bits) != globalpages
        if bad:
            raise Failure("the entry of %x is %s" % (va, how))
    if sum(how[2] == "P" for _, how in entries) < 14:
        raise Failure("no 4 MiB pages")


# What the kernel needs for itself.

@suite
def memory():
    """The kernel's own share of RAM, and a shell in 8 MiB."""
    yield "memory-64", job(memoryboot)
    yield "memory-8", job(smallboot)


def memoryboot():
    """At the first prompt: image, page array and tables below 2 MiB."""
    with Machine(name="memory-64", kernel=KERNEL, initrd=FULL, ram=64) as m:
        m.expect(interactive.PROMPT, 60)
        m.send("cat /proc/meminfo; echo over\n")
        m.expect("^over")
        kb = dict(re.findall(r"^(\w+): +(\d+) kB", m.text, re.M))
        parts = [int(kb[n]) for n in ("KernelImage", "PageArray", "PageTables")]
        if min(parts) < 16 or sum(parts) >= 2048:
            raise Failure("%d + %d + %d kB" % tuple(parts))


def smallboot():
    """A prompt with 8 MiB and a root of BusyBox alone; it can pipe."""
    with Machine(name="memory-8", kernel=KERNEL, ram=8, append="console=ttyS0",
                 initrd=os.path.join(BUILD, "initramfs-min.cpio")) as m:
        m.expect(interactive.PROMPT, 60)
        m.send("ls -lR /bin | sort | wc -l | sed s/^/lines:/\n")
        m.expect(r"^lines:\d\d+$")
        m.expect(interactive.PROMPT, 20)


# What operations cost.

@suite
def bench_():
    """Instructions of each operation against its bar (ci/bench)."""
    yield "bench", benchrows


def benchrows(name):
    start = time.monotonic()
    try:
        found = bench.measure()
    except Failure as e:
        return [Result(name, False, 0, str(e))]
    seconds = time.monotonic() - start
    return [Result("%s/%s" % (name, row), met, seconds * (row == "boot"),
                   "%s instead of at most %s" % (bench.short(ours), bar))
            for row, _, _, bar, ours, met in bench.rows(found)]


# Panics and leaks.

@suite
def panic():
    """A panic says where it was, and leaves with 253."""
    yield "panic", job(panicboot)
    yield "panic-not-for-users", job(panicuser)
    for digit, what, held in LOCKTESTS:
        yield "panic-locks-" + digit, job(paniclocks, digit, what, held)


# What /proc/sysrq-trigger breaks about locks, the complaint, the lock held.
LOCKTESTS = [
    ("1", "lock order: tree .* taken with names held", "spinlock held: names"),
    ("2", "held here already", "spinlock held: names"),
    ("3", "sleeps with a spinlock held", "spinlock held: names"),
    ("4", "interrupts are on", "spinlock held: names"),
    ("5", "not held here", ""),
    ("6", "lock order: sleep lock", "sleep lock held: pipe"),
    ("7", "held here already", "sleep lock held: pipe"),
    ("8", "sleep lock taken with a spinlock held", "spinlock held: names"),
    ("9", "assert holdingsleep", ""),
]


def paniclocks(digit, what, held):
    """Both stacks: where the rule is broken, where the lock was taken."""
    root = withscript("locks%s.cpio" % digit,
                      "echo %s >/proc/sysrq-trigger\n" % digit)
    m = boot(name="panic-locks-" + digit, kernel=KERNEL, initrd=root, ram=64,
             panic=True, append="init=/ci.sh panic=exit", rc=qemu.PANIC,
             expect="^panic on .*" + what)
    if held and held not in m.text:
        raise Failure("not told: " + held)
    if m.text.count("locktest+") < (2 if held else 1):
        raise Failure("a stack is missing")


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
work; work; work
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


# Core files, read by the host's gdb.

CRASHES = {  # arguments of crash, and what gdb must say
    "": (r"^#0 +(0x\w+ in )?two \(a=21, s=0x\w+ <text> \"read only\"\)[^#]*"
         r"^#1 +0x\w+ in one \(a=20\)[^#]*^#2 +0x\w+ in main \(argc=1,",
         r"^\$8 = 7$"),
    "threads": (r"^#0 +(0x\w+ in )?two \(a=21, s=0x\w+ <text> \"read only\"\)"
                r"[^#]*^#1 +0x\w+ in one \(a=20\)[^#]*"
                r"^#2 +0x\w+ in crasher \(arg=0x14\)",
                r"^#\d+ +0x\w+ in waiter \(arg=0x0\)",
                r"^#\d+ +0x\w+ in waiter \(arg=0x1\)",
                r"^#\d+ +0x\w+ in main \(argc=2,",
                r"^\$8 = 200$", r"^Thread 4 "),
}

GDB = ["info auxv", "info signals SIGSEGV", "info registers", "info float",
       "print $_siginfo.si_signo", "print $_siginfo._sifields._sigfault.si_addr",
       "print/x global", "print text", "print heap", "print shared",
       "print anon + (32 << 20)", "print own", "info proc mappings", "thread apply all bt"]

COMMON = (r"terminated with signal SIGSEGV", r"^esi +0x5eed ",
          r"^=>R7: .*3\.1415926535", r"^\$1 = 11$", r"^\$2 = .*0x10$",
          r"^\$3 = 0x1234abce$", r'^\$4 = "read only"$',
          r'^\$5 = 0x\w+ "on the heap"$', r'^\$6 = 0x\w+ "shared memory"$',
          r'^\$7 = 0x\w+ "far away"$', r"^25 +AT_RANDOM", r"^Core was generated "
          r"by .crash", r"0x\w+ +0x\w+ +0x\w+ +0x0 +.*/bin/crash$")


@suite
def core():
    """What a crashing program leaves tells the host's gdb all about it."""
    yield "core", coreboot


COREINIT = """
cd /tmp
crash; test -e core && exit 3
ulimit -c unlimited
for how in "" threads; do
	crash $how
	echo "==BEGIN$how $(stat -c '%a %U %h' core)"
	gzip -c core | base64
	echo ==END
	rm core
done
su u -c 'cp /bin/crash crash2; chmod u+s crash2'
chmod 777 .; su v -c ./crash2; test -e core && exit 4
ln -s linked core; crash; test -e linked && exit 5
rm core; echo kept >kept; ln kept core; crash; cat kept
rm core; ulimit -c 40; crash; stat -c '==SIZE %s' core
rm core; mkdir core; crash; echo ==OVER
"""


def coreboot(name):
    start = time.monotonic()
    with open(program("crash"), "rb") as f:
        data = f.read()
    users = "root:x:0:0::/:/bin/sh\nu:x:7:7::/:/bin/sh\nv:x:8:8::/:/bin/sh\n"
    root = withscript("core.cpio", COREINIT,
                      [("bin/crash", data), ("etc/passwd", users)])
    try:
        m = boot(name=name, kernel=KERNEL, initrd=root, ram=128, timeout=90,
                 append="init=/ci.sh panic=exit quiet", expect="^==OVER")
    except Failure as e:
        return [Result(name, False, time.monotonic() - start, str(e))]
    results = []
    for how, want in CRASHES.items():
        results += job(readcore, m, how, want)(
            "%s/%s" % (name, how or "single"))
    results += job(corerules, m)(name + "/rules")
    results[-1] = results[-1]._replace(seconds=time.monotonic() - start)
    return results


def readcore(m, how, want):
    found = re.search(r"^(.*dumped.*)\n==BEGIN%s 600 root 1\n([^=]*=*)\n?"
                      r"==END$" % how, m.text, re.M)
    if not found:
        raise Failure("no core file, see %s" %
                      keep("core-" + how, m.text.encode()))
    path = write("core." + how, gzip.decompress(
        base64.b64decode(found.group(2))))
    args = ["gdb", "-nx", "-batch", "-ex", "set width 0"]
    for line in GDB:
        args += ["-ex", line]
    text = command(args + [program("crash"), path], "core-gdb")
    for pattern in COMMON + want:
        if not re.search(pattern, text, re.M):
            raise Failure("gdb does not say /%s/, see %s" % (
                pattern, keep("core-gdb-" + how, text.encode())))


def corerules(m):
    """No dump for the set-id, through links, or beyond the limit."""
    for pattern in ("^kept$", r"^==SIZE (20480|[1-9]\d\d\d)$"):
        if not re.search(pattern, m.text, re.M):
            raise Failure("no /%s/" % pattern)


# Running them.

def choose(words):
    """The jobs of the suites and tests with these names (all without)."""
    unknown = set(words)
    jobs = []
    for name, fn in suites.items():
        if not any(belongs(w, name) for w in words) and (words or
                                                         name in ondemand):
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
    word = "skip" if r.ok is None else "ok  " if r.ok else "FAIL"
    if colour:
        word = "\033[3%dm%s\033[0m" % (3 if r.ok is None else 2 if r.ok else 1,
                                       word)
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
            print("%-16s %s%s" % (name, fn.__doc__.splitlines()[0],
                                  " (on demand)" * (name in ondemand)))
        return 0
    # a shell's background jobs ignore these; the tests on the host must not
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    os.makedirs(WORK, exist_ok=True)
    colour = sys.stdout.isatty()
    if not words:
        shutil.rmtree(qemu.LOGS, ignore_errors=True)
    if not linux.native():
        print("this host runs no i386 programs: Linux 6.1 in QEMU is asked in "
              "its place, and unit does fewer random operations")
    jobs, unknown = choose(words)
    for word in sorted(unknown):
        print("no test or suite is named %s (see ci/test --list)" % word)
    passed, failed, skipped = 0, len(unknown), 0
    places = Places(2)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        running = [pool.submit(places.run, run, name) for name, run in jobs]
        for done in concurrent.futures.as_completed(running):
            for r in done.result():
                show(r, colour)
                passed += r.ok is True
                failed += r.ok is False
                skipped += r.ok is None
    if skipped:
        print("%d skipped" % skipped)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
