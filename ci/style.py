#!/usr/bin/env python3
"""style.py - prints each line that is not written as CONTRIBUTING.md says.

  ci/style.py               one line for each violation
  ci/style.py --counts      how many there are in each file
  ci/style.py --self-test   plant one of each kind and see it caught

  1. C and assembly: at most 80 columns in arch/, mm/ and usr/, 85 elsewhere (a tab
     goes to the next multiple of 8); lines are indented with tabs (fewer than eight
     spaces may follow).
  2. All text: no blanks at the end of a line, a newline at the end of a file.
  3. C: a function's name stands in column 0, its return type on the line before.
  4. mm/, arch/, and what doc/how-to-read.md links: a comment directly above each
     static function.
  5. No comment begins with "The same": as what?
  6. Links in README.md, CONTRIBUTING.md and doc/*.md, and files that a */README
     names, are there.
"""

import collections
import os
import re
import subprocess
import sys
import tempfile

COLUMNS = 85  # at most; and in these folders:
NARROW = {"arch": 80, "mm": 80, "usr": 80}
CODE = (".c", ".h", ".asm", ".inc")
HASH = (".py", ".sh", ".yml", ".ini", ".build")  # comments begin with #
TEXT = CODE + HASH + (".md", ".cfg", ".ld", ".list", ".txt", "README")

HEAD = re.compile(r"^(?!#)(?:\w[\w \t*]*?(?:__attribute__\(\(.*?\)\))?[\w \t*]*)"
                  r"[ \t*]\w+\((?:[^;{}()]|\([^;{}]*?\))*\)\s*\{", re.M)
NAME = re.compile(r"^(\w+)\((?:[^;{}()]|\([^;{}]*?\))*\)\s*^\{", re.M)
STATIC = re.compile(r"^static\b[^;={]*$")
COMMENT = re.compile(r"/\*.*?\*/", re.S)
SPACES = re.compile(r"\t*( {8}|(?<!\t) )(?! *(/\*|;))")
SAME = re.compile(r"/\*[\s*]*the same\b", re.I)
SAMELINE = re.compile(r"(?<!\S)[;#]\s*the same\b", re.I)
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
MENTION = re.compile(r"`((?:arch|mm|kern|usr|iso|ci|doc)/[\w./-]+\.\w+)[`:]")
FILE = re.compile(r"(?<![\w/*.-])((?:[\w.-]+/)*\w[\w-]*\.(?:c|h|asm|py|md))\b")


def lineof(text, pos):
    return text.count("\n", 0, pos) + 1


def everyfile(path, text):
    """Rule 2."""
    for n, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip():
            yield n, "blanks at the end of the line"
    if text and not text.endswith("\n"):
        yield lineof(text, len(text)), "no newline at the end of the file"


def code(path, text):
    """Rules 1 and 5."""
    inside = set()  # the lines that begin in a comment
    for m in COMMENT.finditer(text):
        inside.update(range(lineof(text, m.start()) + 1,
                            lineof(text, m.end()) + 1))
    for n, line in enumerate(text.split("\n"), 1):
        width = len(line.expandtabs(8))
        if width > NARROW.get(path.split("/")[0], COLUMNS):
            yield n, "%d columns" % width
        if SPACES.match(line) and n not in inside:
            yield n, "indented with spaces"
    for m in SAME.finditer(text):
        yield lineof(text, m.end()), 'a comment begins with "The same"'
    if path.endswith((".asm", ".inc")):
        yield from sameline(text)


def sameline(text):
    """Rule 5 where a comment is a run of lines with ; or # before each."""
    before = ""
    for n, line in enumerate(text.split("\n"), 1):
        if SAMELINE.search(line) and not before.lstrip().startswith((";", "#")):
            yield n, 'a comment begins with "The same"'
        before = line


def heads(text):
    """Rule 3."""
    for m in HEAD.finditer(text):
        first = m.group().split("\n")[0]
        if not NAME.match(m.group()) and "(" in first:
            yield lineof(text, m.start()), \
                "a function's name is not in column 0: " + first.strip()


def commented(text):
    """Rule 4."""
    lines = text.split("\n")
    for m in NAME.finditer(text):
        n = lineof(text, m.start()) - 2  # the return type, counted from 0
        if n < 0 or not STATIC.match(lines[n]):
            continue
        above = n - 1
        while above >= 0 and lines[above].startswith("#"):
            above -= 1
        if above < 0 or not lines[above].rstrip().endswith("*/"):
            yield n + 1, "no comment above %s()" % m.group(1)


def links(path, text, bases):
    """Rule 6."""
    folder = os.path.dirname(path)
    if path.endswith("README"):
        names = [m for m in FILE.finditer(text) if m.group() not in bases]
        where = [folder, ""]
    else:
        where, names = [folder], list(LINK.finditer(text))
        for m in MENTION.finditer(text):
            if not os.path.exists(m.group(1)) and "build/" not in m.group(1):
                yield lineof(text, m.start()), "there is no " + m.group(1)
    for m in names:
        name = m.group(1)
        if not re.match(r"\w+:", name) and not any(
                os.path.exists(os.path.join(w, name)) for w in where):
            yield lineof(text, m.start()), "there is no " + name


def told():
    """The files that doc/how-to-read.md links."""
    try:
        with open("doc/how-to-read.md", encoding="utf-8") as f:
            return {os.path.normpath("doc/" + m.group(1))
                    for m in LINK.finditer(f.read())}
    except FileNotFoundError:
        return set()


def isdoc(path):
    return path.endswith("README") or path.endswith(".md") and \
        os.path.dirname(path) in ("", "doc")


def check(path, text, toldfiles, bases):
    """Violations of one file: (line, what)."""
    yield from everyfile(path, text)
    if path.endswith(CODE):
        yield from code(path, text)
    if path.endswith(HASH):
        yield from sameline(text)
    if path.endswith((".c", ".h")):
        yield from heads(text)
        if path.startswith(("mm/", "arch/")) or path in toldfiles:
            yield from commented(text)
    if isdoc(path):
        yield from links(path, text, bases)


def sources():
    """The text files that git tracks or would; outside a git tree, all."""
    p = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"],
                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                       text=True)
    names = p.stdout.split("\n") if p.returncode == 0 else [
        os.path.normpath(os.path.join(folder, name))
        for folder, _, files in os.walk(".") for name in files]
    return sorted(n for n in names if n.endswith(TEXT) and os.path.isfile(n)
                  and not n.startswith(("build", ".git/")))


def violations(root):
    """Of the tree: (path, line, what)."""
    os.chdir(root)
    toldfiles = told()
    names = sources()
    bases = {os.path.basename(name) for name in names}
    found = []
    for path in names:
        with open(path, encoding="utf-8") as f:
            text = f.read()
        found += [(path, n, what) for n, what in
                  sorted(check(path, text, toldfiles, bases))]
    return found


GOOD = ("/* Half of n. */\nstatic int\nhalf(int n)\n{\n\treturn n / 2;\n}\n\n"
        "struct x {\n\tint (*f)(int);\n};\n\n"
        "static struct x xs[] = {\n\t{half},\n};\n")
PLANTED = {
    "arch/a.c": ("\tint " + "a" * 68 + ";\n", "81 columns"),
    "arch/b.asm": ("        ret\n", "indented with spaces"),
    "mm/c.c": ("int x; \n", "blanks at the end"),
    "mm/d.h": ("int x;", "no newline"),
    "usr/e.c": ("int f(void)\n{\n}\n", "not in column 0"),
    "usr/f.h": ("static inline int g(int (*h)(int)) { return 1; }\n",
                "not in column 0"),
    "mm/g.c": ("/* Not directly above. */\n\nstatic int\nf(void)\n{\n}\n",
               "no comment above f()"),
    "kern/h.c": ("static int\ng(int a,\n\tint b)\n{\n}\n",
                 "no comment above g()"),
    "kern/i.c": ("/*\n * The" + " same as above. */\n", "The same"),
    "kern/j.asm": ("\tret ; " + "the same\n", "The same"),
    "ci/k.py": ("# the" + " same\n", "The same"),
    "doc/l.md": ("[x](../kern/nosuch.c)\n", "no ../kern/nosuch.c"),
    "doc/m.md": ("Read `kern/nosuch.c`.\n", "no kern/nosuch.c"),
    "mm/README": ("  nosuch.c   is not there\n", "no nosuch.c"),
    "README.md": ("[x](doc/nosuch.md#there)\n", "no doc/nosuch.md"),
}


def selftest():
    """Plant one violation of each kind: those not caught, or more than that."""
    files = {path: text for path, (text, _) in PLANTED.items()}
    files["doc/how-to-read.md"] = "[h.c](../kern/h.c) [h](http://nosuch.c)\n"
    files["mm/good.c"] = GOOD
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as d:
        for path, text in files.items():
            full = os.path.join(d, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as f:
                f.write(text)
        found = violations(d)
        os.chdir(here)
    wrong = ["not caught: " + path for path, (_, what) in PLANTED.items()
             if not any(p == path and what in w for p, _, w in found)]
    return wrong + ["%s:%d: %s, but that was not planted" % v for v in found
                    if v[2].find(PLANTED.get(v[0], ("", "\n"))[1]) < 0]


def main():
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if sys.argv[1:] == ["--self-test"]:
        wrong = selftest()
        print("\n".join(wrong), end="\n" if wrong else "")
        return 1 if wrong else 0
    found = violations(root)
    if sys.argv[1:] == ["--counts"]:
        counts = collections.Counter(path for path, _, _ in found)
        for path, n in sorted(counts.items(), key=lambda c: (-c[1], c[0])):
            print("%5d %s" % (n, path))
        print("%5d in all" % len(found))
    else:
        for v in found:
            print("%s:%d: %s" % v)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
