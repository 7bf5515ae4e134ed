#!/usr/bin/env python3
"""ties.py - which room of the kernel may use which: checked on the objects.

A room is a folder.  What a file uses (functions and variables, as nm shows them)
must be defined in its own room or in a lower one; ROOMS has them from the bottom
to the top.  The exceptions are in UPWARD, by name, each with its reason; one that
nothing needs any more is an error, too, so that the table stays true.

    ties.py               check the objects of build and build-release
    ties.py --self-test   plant one wrong call of each kind; each must be caught
"""

import collections
import os
import re
import subprocess
import sys
import tempfile

BUILDS = "build", "build-release"  # with the debug checks, and without
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CC = "i686-linux-gnu-gcc"
NM = "i686-linux-gnu-nm"

# From the bottom to the top.  Rooms of one line stand side by side: those that
# are joined by + may use each other, others may not.
ROOMS = [
    "kern/lib",
    "kern/lock",
    "arch",
    "mm",
    "kern+kern/poll+kern/signal",
    "kern/blk kern/dev",
    "kern/fs",
    "kern/fs/ext2 kern/socket",
    "kern/fs/proc",
    "kern/sys",
]

ANY = ""
UPWARD = [  # user: a file, a room, or any; what it uses; why
    (ANY, "panic panictrap panicstop",
     "whoever finds a broken invariant stops the machine"),
    (ANY, "initwaitq sleep sleepuntil wakeup yield",
     "locks, page tables and reclaim wait, and the scheduler is in kern"),

    ("kern/lib/printf.c", "acquire acquirebusy holding release tryacquire",
     "one line at a time"),
    ("kern/lib/printf.c", "__udivmoddi4", "the compiler's division"),
    ("kern/lib/text.c", "kmalloc kmfree", "text grows"),
    ("kern/lock/spinlock.c", "ncpu xcallserve",
     "who spins answers other CPUs meanwhile"),
    ("kern/lock", "nowns", "how long was waited, for /proc/lockstat"),
    ("kern/lock", "callers", "debug builds note who took a lock"),

    ("arch/entry.asm", "kmain", "the way from the boot loader to C"),
    ("arch/smp.c", "kstackalloc kstackfree scheduler",
     "each CPU needs a stack, and runs the scheduler"),
    ("arch/seg.c", "kvmreadable", "a double fault looks before it reads"),
    ("arch/trap.c", "fault tick preempt sigexception sigfault tracedebug",
     "an exception or an interrupt is handed to what it concerns"),
    ("arch/trapentry.asm", "userret", "the last thing before user mode"),

    ("mm", "fileclose filedup filemine filemodified filepages filepcache "
     "filepunch", "a mapping holds the open file that it shows"),
    ("mm/pcache.c", "uioget uioput uiozero", "bytes to and from programs"),
    ("mm/reclaim.c", "kthread", "reclaim has a thread"),

    ("kern/main.c", "consoleearly uartearly devinit vfsinit procfsinit "
     "ext2init sysfsinit flightinit unixnameinit", "it starts everything"),
    ("kern/init.c", "blkinit disksinit binit flushinit cpiounpack mkpath "
     "openpath domount mountroot rootdentry umountall dget dput exitqemu "
     "poweroff", "the first process mounts the root, the end of the last one "
     "turns off the machine"),
    ("kern/panic.c", "exitqemu halt", "the end of the machine"),
    ("kern/proc.c", "syscall", "what a thread's entry calls: the table"),
    ("kern/signal/ptrace.c", "syscall", "the table, for a traced thread"),
    ("kern/proc.c", "dget dput ndetached reapmounts",
     "a process has a root and a working directory"),
    ("kern/exec.c", "openpath iaccess igettext", "a program is a file"),
    ("kern/signal/coredump.c", "openpath dentrypath", "a dump is a file"),
    ("kern/exit.c", "ttyleft", "a session leader gives up its terminal"),
    ("kern/file.c", "blkpages dput iaccess idirty iputtext iputwriter "
     "ndetached reapmounts", "most open files have an inode and a name"),
    ("kern/pipe.c", "iget inodenew iput", "a pipe has an inode, for fstat"),
    ("kern/poll/anonfile.c", "inodenew", "so have files without a name"),
    ("kern/sysvshm.c", "dget ingroup shmfile", "a segment is a file of tmpfs"),
]


def rank(room):
    """The line of ROOMS that has the room."""
    for i, line in enumerate(ROOMS):
        if room in re.split(r"[ +]", line):
            return i
    raise SystemExit("ties: ROOMS lacks %s" % room)


def below(user, used):
    """May files of the room user use those of the room used?"""
    if user == used or rank(used) < rank(user):
        return True
    return any({user, used} <= set(group.split("+"))
               for line in ROOMS for group in line.split())


def objects():
    """The kernel's object files: (source, path) of each, in each build."""
    with open(os.path.join(ROOT, "meson.build"), encoding="utf-8") as f:
        names = re.findall(r"^  '((?:arch|mm|kern)/[^']+\.(?:c|asm))',$",
                           f.read(), re.M)
    return [(n, os.path.join(ROOT, build, "libkernel.a.p",
                             n.replace("/", "_") + ".o"))
            for build in BUILDS for n in names]


def symbols(objs):
    """Where each symbol is defined, and which ones each source uses."""
    defined, used = {}, collections.defaultdict(set)
    source = {path: name for name, path in objs}
    text = subprocess.run([NM, "-A", *source], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    for path, kind, name in re.findall(r"^(.*?):.* (\S) (\S+)$", text, re.M):
        if kind == "U":
            used[source[path]].add(name)
        elif kind.isupper():
            defined[name] = source[path]
    return defined, used


def upward(objs):
    """(source, symbol, where it is defined) of each use of a higher room."""
    defined, used = symbols(objs)
    for source in sorted(used):
        for name in sorted(used[source]):
            there = defined.get(name)
            if there and not below(os.path.dirname(source),
                                   os.path.dirname(there)):
                yield source, name, there


def complaints(objs):
    """What is wrong: uses that the table lacks, rows that nothing needs."""
    left = {(user, name) for user, names, _ in UPWARD
            for name in names.split()}
    needed = set()
    for source, name, there in upward(objs):
        rows = {(u, name) for u in (ANY, source, os.path.dirname(source))} & left
        needed |= rows
        if not rows:
            yield "%s uses %s of %s" % (source, name, there)
    for user, name in sorted(left - needed):
        yield "UPWARD: %s no longer uses %s" % (user or "nobody", name)


WRONG = {  # source: what is called there, of a higher room
    "arch/wrong.c": "fileclose", "mm/wrong.c": "sys_getpid",
    "kern/wrong.c": "sys_read", "kern/fs/wrong.c": "ext2init",
    "kern/dev/wrong.c": "blkregister", "kern/socket/wrong.c": "readfile",
    "kern/lib/wrong.c": "sleepsignal", "kern/blk/wrong.c": "openpath",
}


def selftest():
    """What is not caught: of WRONG, and a row that nothing needs."""
    objs = objects()
    UPWARD.append(("kern/exit.c", "nosuch", "a test"))
    with tempfile.TemporaryDirectory() as d:
        for source, name in WRONG.items():
            path = os.path.join(d, source.replace("/", "_"))
            with open(path, "w", encoding="utf-8") as f:
                f.write("void %s(void);\nvoid wrong(void) { %s(); }\n" %
                        (name, name))
            subprocess.run([CC, "-c", path, "-o", path + ".o"], check=True)
            objs.append((source, path + ".o"))
        found = " \n".join(complaints(objs))
    want = ["%s uses %s of " % call for call in WRONG.items()]
    want.append("UPWARD: kern/exit.c no longer uses nosuch")
    return [w for w in want if w not in found]


def main():
    if "--self-test" in sys.argv:
        found = ["not caught: " + s for s in selftest()]
    else:
        found = list(complaints(objects()))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
