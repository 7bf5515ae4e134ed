#!/usr/bin/env python3
"""includes.py - who may include whom; prints each #include that breaks a rule.

  1. arch/*.h: kern/types.h, kern/param.h and each other.
  2. mm/vm.h: only mm/*.c and ci/unit.
  3. mm/: of kern/ only the files of MMMAY.
  4. What arch/, mm/ and the rooms of kern/ may call: ci/ties.py, on the objects.
  5. kern/fs and kern/dev: nothing of each other but kern/dev/dev.h.
  6. usr/ includes kern/abi/ and nothing else of the kernel; kern/, mm/ and
     arch/ include nothing from usr/ and no host header but stdint, stddef,
     stdarg.
  7. Every header compiles alone; a .c file includes its own header first,
     then arch/, mm/, kern/, in this order.
"""

import os
import re
import subprocess
import sys
import tempfile

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')
FREESTANDING = {"stdint.h", "stddef.h", "stdarg.h"}
MMMAY = re.compile(r"kern/(abi/\w+|lib/\w+|lock/\w+|types|param|panic|uio|file|"
                   r"proc|sched|fs/inode)\.h$")
ORDER = ["arch/", "mm/", "kern/"]


def includes(path):
    with open(path, encoding="utf-8") as f:
        for n, line in enumerate(f, 1):
            m = INCLUDE.match(line)
            if m:
                yield n, m.group(1) == "<", m.group(2)


def sources(root):
    for top in ("arch", "mm", "kern", "usr"):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(folder, name), root)


def check(path, list_):
    """Violations of one file: (line, what)."""
    top = path.split("/")[0]
    for n, system, name in list_:
        if top == "usr":
            if name.startswith(("kern/", "mm/", "arch/")) and \
                    not name.startswith("kern/abi/"):
                yield n, "usr/ includes %s" % name
            continue
        if system:
            if name not in FREESTANDING:
                yield n, "host header <%s>" % name
            continue
        if "/" not in name and not own(path, name):
            yield n, '"%s" is not written from the root' % name
        if name.startswith("usr/"):
            yield n, "the kernel includes usr/"
        if path.startswith("arch/") and path.endswith(".h"):
            if not name.startswith("arch/") and \
                    name not in ("kern/types.h", "kern/param.h"):
                yield n, "a header of arch/ includes %s" % name
        if name == "mm/vm.h" and top != "mm":
            yield n, "mm/vm.h outside mm/"
        if top == "mm" and name.startswith("kern/") and \
                not MMMAY.match(name):
            yield n, "mm/ includes %s" % name
        if name.startswith("kern/dev/") and name != "kern/dev/dev.h" and \
                path.startswith("kern/fs/"):
            yield n, "kern/fs includes %s" % name
        if name.startswith("kern/fs/") and path.startswith("kern/dev/"):
            yield n, "kern/dev includes %s" % name
    if path.endswith(".c") and top != "usr":
        yield from order(path, list_)


def own(path, name):
    """Is it a table or header that belongs to the file's own folder?"""
    return os.path.dirname(path) == "mm" and name == "vm.h"


def order(path, list_):
    """Rule 7: own header first, then arch/, mm/, kern/."""
    names = [(n, name) for n, system, name in list_ if not system]
    header = path[:-2] + ".h"
    if os.path.exists(header) and names and names[0][1] != header:
        yield names[0][0], "%s should come first" % header
    folder = os.path.dirname(path)
    while names and os.path.dirname(names[0][1]) == folder:
        names.pop(0)  # its own header, and its neighbours'
    last = 0
    for n, name in names:
        rank = [i for i, p in enumerate(ORDER) if name.startswith(p)]
        if rank and rank[0] < last:
            yield n, "%s comes after %s" % (name, ORDER[last])
        if rank:
            last = rank[0]


def compilealone(path, cc):
    """Rule 7: the header as a file of its own; the compiler's words or ''."""
    args = cc + ["-std=gnu11", "-ffreestanding", "-fsyntax-only", "-I.",
                 "-march=i486", "-fcf-protection=none", "-x", "c", "-Wall",
                 "-Wno-unused-function", "-Wno-pragma-once-outside-header", path]
    p = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True)
    return "" if p.returncode == 0 else p.stdout


def violations(root, cc=("i686-linux-gnu-gcc",)):
    os.chdir(root)
    for path in sources("."):
        path = os.path.normpath(path)
        for n, what in check(path, list(includes(path))):
            yield "%s:%d: %s" % (path, n, what)
        guarded = path.endswith(".h") and not path.startswith("usr/") and \
            path != "kern/sys/syscalls.h"
        if guarded:
            words = compilealone(path, list(cc))
            if words:
                yield "%s: does not compile alone\n%s" % (path, words)


def selftest():
    """Plant one violation of each kind; each must be caught."""
    planted = {
        "arch/a.h": '#include "kern/proc.h"',
        "kern/b.c": '#include "mm/vm.h"',
        "mm/c.c": '#include "kern/signal/signal.h"',
        "kern/fs/d.c": '#include "kern/dev/tty.h"',
        "kern/dev/e.c": '#include "kern/fs/inode.h"',
        "kern/f.c": "#include <stdio.h>",
        "usr/g.c": '#include "kern/proc.h"',
        "kern/h.c": '#include "mm/mm.h"\n#include "arch/x86.h"',
        "kern/i.h": "int f(struct_unknown *);",
    }
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as d:
        for path, text in planted.items():
            full = os.path.join(d, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as f:
                f.write(text + "\n")
        found = "\n".join(violations(d))
        os.chdir(here)
    return [p for p in planted if p not in found]


def main():
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if sys.argv[1:] == ["--self-test"]:
        missed = selftest()
        for path in missed:
            print("not caught: the violation in %s" % path)
        return 1 if missed else 0
    found = list(violations(root))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
