#!/usr/bin/env python3
"""bench.py - what each operation costs, in instructions, against its bar.

Boots /bin/bench as init under QEMU's -icount, where one tick of the time-stamp
counter is one instruction: the figures are the same in every run and on every
machine.  The bars are limits; the best peer is what the best of Linux 6.1 (L,
its costly options off) and Fiwix 1.7 (F) needed on the same emulated machine.
"""

import argparse
import json
import os
import re
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import diskbench
import qemu
import scaling

BUILD = os.path.join(qemu.ROOT, "build-release")

# name in bench's output, what it is, best peer, bar
TABLE = [
    ("getpid", "getpid()", "F 104", 100),
    ("anon_touch", "first write to a page, mmap", "L 3389", 1600),
    ("heap_touch", "first write to a page, heap", "L 3388", 1600),
    ("stack_touch", "first write to a page, stack", "L 6408", 1800),
    ("anon_read", "first read of a page", "L 1093", 400),
    ("cow_break", "write to a shared page", "L 4145", 1700),
    ("cow_reuse", "write as the last owner", "F 214", 250),
    ("fork", "fork, exit, wait", "L 107500", 40000),
    ("fork_16m", "the same, 16 MiB touched", "L 1443000", 45000),
    ("fork_256m", "the same, 256 MiB touched", "L 21558000", 80000),
    ("exit_page", "exit, each touched page", "L 1239", 150),
    ("fork_exec", "fork, exec, wait", "L 326300", 130000),
    ("exec_static", "the same, glibc's program", "L 633500", 250000),
    ("exec_shared", "the same, glibc shared", "L 1559000", 935000),
    ("mmap_1p", "mmap and munmap, one page", "F 1013", 1500),
    ("mmap_16m", "mmap and munmap, 16 MiB", "L 18250", 2000),
    ("mprotect", "mprotect of a page", "F 1121", 1000),
    ("map_read", "first read of a page of a file", "L 543", 300),
    ("map_write", "first write to one, private", "L 3979", 1900),
    ("map_shared", "first write to one, shared", "", 1000),
    ("open_close", "open and close", "F 3535", 3000),
    ("stat", "stat", "F 2932", 2500),
    ("pipe", "a byte there and back", "F 1857", 2500),
    ("socket", "the same by a stream socket", "", 3500),
    ("read_64k", "read by 64 KiB, each KiB", "L 439", 330),
    ("read_4k", "read by 4 KiB, each KiB", "L 698", 450),
    ("write_64k", "write by 64 KiB, each KiB", "L 499", 400),
    ("boot", "boot, kernel to init (-m 64)", "", 20000000),
]

# What usr/bench calls them, where that differs.
ALIASES = {
    "sys_getpid": "getpid", "brk_touch": "heap_touch", "fork_0m": "fork",
    "mprotect_1p": "mprotect", "pipe_pingpong": "pipe",
    "socket_pingpong": "socket",
    "file_read_64k": "read_64k", "file_write_64k": "write_64k", "file_read_4k": "read_4k",
    "exit_slope": "exit_page",
}

# Code that sends the time-stamp counter as it was before, 8 bytes, low first,
# and leaves: put where a kernel begins, it measures firmware and loader.
STAMP = bytes.fromhex(
    "0f31 89c3 89d1 be08000000"     # rdtsc; ebx, ecx = it; esi = 8
    "66bafd03 ec a820 74fb"         # wait for the UART
    "66baf803 88d8 ee"              # send bl
    "0faccb08 c1e908 4e 75e6"       # the next byte, until esi is 0
    "66baf400 b810000000 ef f4")    # leave QEMU with 33


def kernel():
    return os.path.join(BUILD, "quire.elf")


def stampkernel():
    """The kernel with STAMP in place of its first instructions."""
    with open(kernel(), "rb") as f:
        image = bytearray(f.read())
    entry, phoff = struct.unpack_from("<II", image, 24)
    for i in range(struct.unpack_from("<H", image, 44)[0]):
        kind, offset, vaddr, _, size = struct.unpack_from(
            "<5I", image, phoff + i * 32)
        if kind == 1 and vaddr <= entry < vaddr + size:
            at = offset + entry - vaddr
            image[at:at + len(STAMP)] = STAMP
    path = os.path.join(BUILD, "stamp.elf")
    with open(path, "wb") as f:
        f.write(image)
    return path


def boottime(ram):
    """Ticks from the kernel's entry to the first instructions of init."""
    m = bootbench(ram, stampkernel(), "-- cpu_loop")
    entry = struct.unpack("<Q", bytes(m.out[:8]))[0]
    return run(ram, "-- cpu_loop")["tsc_at_start"] - entry


def bootbench(ram, path, words, root="initramfs"):
    return qemu.boot(name="bench-%d" % ram, kernel=path, ram=ram,
                     initrd=os.path.join(BUILD, root + ".cpio"),
                     append=("init=/bin/bench console=ttyS0 panic=exit quiet " +
                             words).strip(), icount=True, timeout=300)


def run(ram, words="", root="initramfs"):
    """Boot bench; its figures by name."""
    return figures(bootbench(ram, kernel(), words, root).text)


def measure():
    found = run(1024, "-- fork_exec", "initramfs-shared")
    found.update(run(1024))
    found["boot"] = boottime(64)
    return found


def figures(text):
    found = {}
    for line in text.splitlines():
        m = re.match(r"([a-z]\w*)[ \t:=]+([\d.]+)(?:\s|$)", line)
        if m:
            name = ALIASES.get(m.group(1), m.group(1))
            found[name] = float(m.group(2))
    return found


def rows(found):
    """(name, what, peer, bar, ours, met) of each row."""
    for name, what, peer, bar in TABLE:
        ours = found.get(name)
        yield name, what, peer, bar, ours, ours is not None and ours <= bar


def table(found):
    line = "%-30s %12s %10s %12s  %s"
    print(line % ("operation", "best peer", "bar", "ours", ""))
    for _, what, peer, bar, ours, met in rows(found):
        print(line % (what, peer, short(bar), short(ours),
                      "ok" if met else "MISS"))


def short(n):
    if n is None:
        return "-"
    return "%d" % n if n >= 100 or n == int(n) else "%.1f" % n


def main():
    ap = argparse.ArgumentParser(description="instructions per operation")
    ap.add_argument("--json", action="store_true", help="figures only")
    ap.add_argument("--check", action="store_true",
                    help="status 1 if one costs more than its bar")
    ap.add_argument("--scaling", action="store_true",
                    help="work per second on two CPUs against one instead")
    ap.add_argument("--linux", action="store_true",
                    help="work with files on a disk, in time, beside Linux; "
                         "with --scaling: the ratios of Linux, too")
    args = ap.parse_args()
    try:
        if args.scaling:
            return scaling.main(BUILD, args.linux, args.check)
        if args.linux:
            return diskbench.main(BUILD, args.check)
        found = measure()
    except qemu.Failure as e:
        print("bench: %s (see build/logs)" % e, file=sys.stderr)
        return 1
    if args.json:
        print(json.dumps({r[0]: {"bar": r[3], "ours": r[4], "ok": r[5]}
                          for r in rows(found)}, indent=1))
    else:
        table(found)
    return int(args.check and not all(r[5] for r in rows(found)))


if __name__ == "__main__":
    sys.exit(main())
