#!/usr/bin/env python3
"""Write an initramfs: a newc cpio made from a list, the same bytes every time.

Usage: mkinitramfs.py [-D NAME=PATH]... -o OUT [--copy PATH] LIST

Each line of LIST is one of (modes are octal, # starts a comment):
    include LIST                    another list, beside this one
    dir     PATH MODE
    file    PATH MODE SOURCE [LINK...]   further names are hard links
    slink   PATH TARGET
    nod     PATH MODE b|c MAJOR MINOR
    zero    PATH MODE SIZE          a file of SIZE zero bytes
    applets BUSYBOX                 a symlink to /bin/busybox for each applet
SOURCE and BUSYBOX may name what -D defines, as ${NAME}; other sources are
relative to the list.  A line that starts with "?" is left out when a name in it
is not defined, one that starts with "!NAME" when NAME is defined.

Inode numbers are counted, owners are root, times are fixed.  A parent directory
must be listed before what is in it; of two lines for one path the first counts.
"""
import argparse
import os
import re
import stat
import subprocess
import sys

MTIME = 1767225600  # 2026-01-01: any fixed date does


class Archive:
    """The entries in the order in which they were added."""

    def __init__(self):
        self.out = bytearray()
        self.ino = 0
        self.seen = {''}

    def claim(self, path):
        """The archive's name for path, or None if it is there already."""
        name = path.strip('/')
        if name in self.seen:
            return None
        parent = os.path.dirname(name)
        if parent not in self.seen:
            sys.exit(f'mkinitramfs: {path}: /{parent} is not listed before it')
        self.seen.add(name)
        return name

    def entry(self, name, mode, data=b'', nlink=1, rdev=(0, 0), ino=None):
        if ino is None:
            self.ino += 1
            ino = self.ino
        raw = name.encode() + b'\0'
        fields = (ino, mode, 0, 0, nlink, MTIME, len(data), 0, 0, *rdev,
                  len(raw), 0)
        self.out += b'070701' + b''.join(b'%08X' % f for f in fields) + raw
        self.pad(4)
        self.out += data
        self.pad(4)

    def pad(self, unit):
        self.out += bytes(-len(self.out) % unit)

    def add(self, path, mode, data=b'', **kw):
        name = self.claim(path)
        if name is not None:
            self.entry(name, mode, data, **kw)

    def addlinks(self, paths, mode, data):
        """Hard links: one inode, the data with its last name."""
        names = [n for n in map(self.claim, paths) if n is not None]
        if not names:
            return
        self.ino += 1
        for name in names:
            last = name is names[-1]
            self.entry(name, mode, data if last else b'', len(names),
                       ino=self.ino)

    def finish(self):
        self.entry('TRAILER!!!', 0, ino=0)
        self.pad(512)
        return bytes(self.out)


def expand(line, names):
    """Substitute ${NAME}; None if the line does not apply."""
    if line.startswith('!'):
        name, _, line = line[1:].partition(' ')
        if name in names:
            return None
    optional = line.startswith('?')
    line = line.lstrip('?').strip()
    wanted = re.findall(r'\$\{(\w+)\}', line)
    missing = [n for n in wanted if n not in names]
    if missing and optional:
        return None
    if missing:
        sys.exit(f'mkinitramfs: {missing[0]} is not defined')
    return re.sub(r'\$\{(\w+)\}', lambda m: names[m[1]], line)


def applets(archive, busybox):
    """What BusyBox itself says that it can be called as."""
    for path in sorted(set(listfull(busybox).split()) | {'bin/sh'}):
        parent = ''
        for part in os.path.dirname(path).split('/'):
            parent = os.path.join(parent, part)
            archive.add(parent, stat.S_IFDIR | 0o755, nlink=2)
        archive.add(path, stat.S_IFLNK | 0o777, b'/bin/busybox')


def listfull(busybox):
    """The output of busybox --list-full.  A host whose kernel runs no i386
    programs needs QEMU's user emulation for it (ci/setup.sh installs it)."""
    for runner in [], ['qemu-i386-static'], ['qemu-i386']:
        try:
            return subprocess.run(runner + [busybox, '--list-full'], text=True,
                                  stdout=subprocess.PIPE, check=True).stdout
        except OSError:
            continue
    sys.exit(f'mkinitramfs: this host cannot run {busybox}: no support for '
             'i386 programs in its kernel, and no qemu-i386')


def read(source, base):
    with open(os.path.join(base, source), 'rb') as f:
        return f.read()


def addline(archive, words, names, base):
    kind, path, *rest = words
    if kind == 'include':
        addlist(archive, os.path.join(base, path), names)
    elif kind == 'applets':
        applets(archive, path)
    elif kind == 'dir':
        archive.add(path, stat.S_IFDIR | int(rest[0], 8), nlink=2)
    elif kind == 'file':
        archive.addlinks([path] + rest[2:], stat.S_IFREG | int(rest[0], 8),
                         read(rest[1], base))
    elif kind == 'zero':
        archive.add(path, stat.S_IFREG | int(rest[0], 8), bytes(int(rest[1])))
    elif kind == 'slink':
        archive.add(path, stat.S_IFLNK | 0o777, rest[0].encode())
    elif kind == 'nod':
        fmt = {'b': stat.S_IFBLK, 'c': stat.S_IFCHR}[rest[1]]
        archive.add(path, fmt | int(rest[0], 8),
                    rdev=(int(rest[2]), int(rest[3])))
    else:
        sys.exit(f'mkinitramfs: unknown word {kind}')


def addlist(archive, path, names):
    base = os.path.dirname(path)
    with open(path, encoding='utf-8') as f:
        for line in f:
            line = expand(line.partition('#')[0].strip(), names)
            if line:
                addline(archive, line.split(), names, base)


def main():
    p = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    p.add_argument('-D', action='append', default=[], metavar='NAME=PATH')
    p.add_argument('-o', required=True, metavar='OUT')
    p.add_argument('--copy', help='a second place for the result')
    p.add_argument('list')
    args = p.parse_args()
    names = dict(d.split('=', 1) for d in args.D)
    archive = Archive()
    addlist(archive, args.list, names)
    data = archive.finish()
    for out in filter(None, (args.o, args.copy)):
        with open(out, 'wb') as f:
            f.write(data)


if __name__ == '__main__':
    main()
