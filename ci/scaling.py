"""scaling.py - how much more two do on two CPUs than on one.

Boots /bin/scale with one CPU and with two, in turns, five times each, under
multi-threaded TCG; the ratio is that of the medians of work per second.  It is
wall-clock time: two host cores must be idle otherwise, so the host's load is
printed, too.  Linux is Debian 12's i386 kernel with the same initramfs.
"""

import os
import re
import statistics

import linux
import qemu

RUNS = 5

# name in scale's output, what it is, bar
ROWS = [
    ("fault_procs", "page faults, 2 processes", 1.8),
    ("fault_threads", "page faults, 2 threads", 1.7),
    ("forkexec_procs", "fork and exec, 2 processes", 1.7),
]


def quire(folder):
    return {"kernel": os.path.join(folder, "quire.elf"),
            "append": "init=/bin/scale console=ttyS0 quiet"}


def peer():
    return {"kernel": linux.kernel("686"),
            "append": "rdinit=/bin/scale console=ttyS0 quiet mitigations=off"}


def run(cpus, system, folder):
    """One boot: work per second by name."""
    with qemu.Machine(name="scaling", cpus=cpus, ram=512, timeout=120,
                      initrd=os.path.join(folder, "initramfs-test.cpio"),
                      **system) as m:
        m.expect("^scale: done")
        return {name: float(n) for name, n in
                re.findall(r"^(\w+) (\d+)$", m.text, re.M)}


def ratios(system, folder):
    """(at one CPU, at two, ratio) by name."""
    one, two = [], []
    for _ in range(RUNS):
        one.append(run(1, system, folder))
        two.append(run(2, system, folder))
    found = {}
    for name, _, _ in ROWS:
        a = statistics.median(r[name] for r in one)
        b = statistics.median(r[name] for r in two)
        found[name] = (a, b, b / a)
    return found


def main(folder, withlinux, check):
    """Print the table; 1 if check and a ratio is below its bar."""
    ours = ratios(quire(folder), folder)
    theirs = ratios(peer(), folder) if withlinux else {}
    print("load average %s, %d host CPUs" %
          (" ".join("%.2f" % n for n in os.getloadavg()), os.cpu_count()))
    line = "%-28s %10s %10s %7s %6s %7s"
    print(line % ("a second", "1 CPU", "2 CPUs", "ratio", "bar", "Linux"))
    for name, what, bar in ROWS:
        a, b, r = ours[name]
        print(line % (what, "%.0f" % a, "%.0f" % b, "%.2f" % r, bar,
                      "%.2f" % theirs[name][2] if theirs else "-"))
    return int(check and any(ours[n][2] < bar for n, _, bar in ROWS))
