"""diskbench.py - what works with files on a disk, in time, beside Linux.

Boots Debian 12 (debian.py) on the release kernel and on Debian's Linux 6.1 i686 in
turns, three times each, both from a fresh copy of the same image, with the same
QEMU: TCG, one CPU, 512 MiB, virtio, cache=unsafe, so that no write waits for the
host's disk.  The job wallclock does most things three times and says how long each
took by the guest's clock; the ratio is that of the medians.  Two host cores must
be idle otherwise, so the host's load is printed, too.
"""

import os
import re
import statistics
import sys

import debian
import qemu

RUNS = 3
RAM = 512
BAR = 1.2

# name in the job's output, what it is
ROWS = [
    ("read", "read 256 MiB of a file"),
    ("rawread", "the same of the disk"),
    ("write", "write 256 MiB, fsync"),
    ("rewrite", "write them again, fsync"),
    ("tar", "tar of /usr to a file"),
    ("pipetar", "the same to a pipe"),
    ("find", "find / -xdev, first time"),
    ("findwarm", "the same once more"),
    ("journal", "10,000 inserts, journal"),
    ("wal", "10,000 inserts, WAL"),
]


def data():
    """256 MiB for the guests to read: the file's path."""
    path = os.path.join(debian.FOLDER, "data")
    with open(path, "wb") as f:
        for i in range(256):
            f.write(os.urandom(1 << 20))
    return path


def run(name, system, path):
    """One boot: lists of seconds by name."""
    text = debian.run("wallclock-" + name, system, ["wallclock"], ram=RAM,
                      files={"work/data": path})["wallclock"]
    found = {n: [int(t) / 1e6 for t in re.findall(r"^%s (\d+)$" % n, text, re.M)]
             for n, _ in ROWS}
    if not all(found.values()):
        raise qemu.Failure("%s: not all was measured: %r" % (name, text))
    return found


def main(folder, check):
    """Print the table; 1 if check and a ratio is above the bar."""
    systems = {"quire": debian.quire(folder), "linux": debian.peer()}
    times = {s: {n: [] for n, _ in ROWS} for s in systems}
    path = data()
    for i in range(RUNS):
        for s, system in systems.items():
            for n, found in run(s, system, path).items():
                times[s][n] += found
            print("%s, run %d of %d" % (s, i + 1, RUNS), file=sys.stderr)
    os.unlink(path)
    print("load average %s, %d host CPUs" %
          (" ".join("%.2f" % n for n in os.getloadavg()), os.cpu_count()))
    line = "%-28s %8s %8s %7s %6s"
    print(line % ("seconds", "Quire", "Linux", "ratio", "bar"))
    worst = 0
    for n, what in ROWS:
        ours, peer = (statistics.median(times[s][n]) for s in systems)
        print(line % (what, "%.3f" % ours, "%.3f" % peer,
                      "%.2f" % (ours / peer), BAR))
        worst = max(worst, ours / peer)
    return int(check and worst > BAR)
