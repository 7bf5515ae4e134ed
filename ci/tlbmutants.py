"""tlbmutants.py - is a flush that is missing noticed?

Each mutant is the kernel with one flush left out, or one CPU's part in it.  On
two CPUs with `tlbcheck` on the command line, races and tests of fork and mmap
must end in its panic, or fail.  One copy of the sources is built; of a mutant
only the file that changed.

unsharetable()'s flush has no mutant: it is for CPUs that cache directory
entries, which QEMU's do not.
"""

import os
import re
import shutil
import subprocess

import qemu
from qemu import Failure, Machine

WORK = os.path.join(qemu.ROOT, "build", "ci", "tlbmutants")
SOURCE = os.path.join(WORK, "source")
BUILD = os.path.join(WORK, "build")
PARTS = ("arch", "mm", "kern", "iso", "meson.build", "meson_options.txt",
         "cross-i686.ini")

# name, file, regular expression, what stands there instead, tests that reach it
MUTANTS = [
    ("commit", "mm/fault.c", r"tlbshoot\(f->uvm, f->va\);", ";",
     "cow_broken"),
    ("unmap", "mm/pgtab.c", r"tlbshootmany\(b->uvm, b->va, b->n\);", ";",
     "fault_against"),
    ("drop-table", "mm/pgtab.c", r"tlbshootall\(u\); /\* before the table .*",
     ";", "fault_against mmap munmap exec"),
    ("protect-one", "mm/pgtab.c", r"tlbshoot\(u, last\);", ";",
     "fault_against mprotect"),
    ("protect-many", "mm/pgtab.c",
     r"(else if \(changed > 1\)\s+)tlbshootall\(u\);", r"\1;",
     "mprotect random prot_"),
    ("move", "mm/pgtab.c",
     r"tlbshootall\(u\);(\s+for \(uint i = 0; i < n; i \+= PGSIZE\)\s+"
     r"tlbverify)", r"\1", "fault_against_mremap mremap"),
    ("fork", "mm/uvm.c", r"tlbshootall\(u\); /\* our tables .*", ";",
     "sibling fork_copies"),
    ("others-not-told", "mm/tlb.c", r"if \(set & ~here\) \{", "if (0) {",
     "fault_against"),
    ("told-in-vain", "mm/tlb.c", r"if \(f->uvm && c->uvm != f->uvm\)",
     "if (f->uvm && c->proc)", "fault_against"),
    ("first-of-many", "mm/tlb.c", r"n > MANY \? 0 : n\}", "n > 1}",
     "fault_against munmap mmap_fixed random"),
]


def prepare():
    """Build a copy of the sources, and see that it passes."""
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(SOURCE)
    for part in PARTS:
        path = os.path.join(qemu.ROOT, part)
        copy = shutil.copytree if os.path.isdir(path) else shutil.copy
        copy(path, os.path.join(SOURCE, part))
    output("meson", "setup", BUILD, SOURCE, "--cross-file",
           os.path.join(SOURCE, "cross-i686.ini"))
    build()
    m = run("tlbmutants-none", "fault_against cow_ fork_copies mremap mprotect")
    if m.rc != qemu.PASS:
        raise Failure("without a mutation: status %d" % m.rc)


def build():
    output("ninja", "-C", BUILD, "quire.elf")


def output(*args):
    p = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True)
    if p.returncode != 0:
        raise Failure("%s: %s" % (args[0], p.stdout[-500:]))


def run(name, tests):
    with Machine(name=name, kernel=os.path.join(BUILD, "quire.elf"), cpus=2,
                 initrd=os.path.join(qemu.ROOT, "build",
                                     "initramfs-test.cpio"),
                 append="init=/bin/t panic=exit quiet tlbcheck RACES=50 -- " +
                 tests, ram=256, timeout=300) as m:
        m.wait()
        m.keeplog()
    return m


def check(mutant):
    """Break the line, build, run, mend: Failure if nobody notices."""
    name, file, pattern, instead, tests = mutant
    if not os.path.exists(os.path.join(BUILD, "quire.elf")):
        prepare()
    path = os.path.join(SOURCE, file)
    with open(path, encoding="utf-8") as f:
        text = f.read()
    broken, n = re.subn(pattern, instead, text)
    if n != 1:
        raise Failure("%d places in %s match" % (n, file))
    try:
        write(path, broken)
        build()
        m = run("tlbmutants-" + name, tests)
    finally:
        write(path, text)
    if m.rc == qemu.PASS:
        raise Failure("not noticed")
    if not re.search(r"^(panic.*stale translation|not ok)", m.text, re.M):
        raise Failure("status %d, but no stale translation" % m.rc)


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
