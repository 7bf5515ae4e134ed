#!/usr/bin/env python3
"""qemu.py - boot Quire in QEMU, watch and feed its serial console.

As a module: Machine (expect, send, wait) and boot() for runs without input.
As a command: boots once, copies the serial output, leaves with QEMU's status.

With panic=exit on the command line the kernel leaves QEMU with 33 + 2s for
init's exit status s, and with 253 after a panic; QEMU's own 0 (power-off, reset)
and 1 (could not start) are never a pass.
"""

import argparse
import json
import os
import re
import select
import socket
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOGS = os.path.join(ROOT, "build", "logs")
PASS = 33
PANIC = 253
SHIFTS = 5  # with icount a seed's instructions take 1 to 16 ns
PANICTEXT = re.compile(r"^panic\b(?!=)", re.M)


def status(s):
    """QEMU's exit status when init exits with s."""
    return PASS + 2 * s


class Failure(Exception):
    """A boot that did not do what was expected of it."""


class Machine:
    """A running QEMU.  Use with `with`: it never outlives the block."""

    def __init__(self, name="boot", kernel=None, initrd=None, append="",
                 cdrom=None, hda=None, ram=128, machine="pc", cpu=None,
                 cpus=1, timeout=60, icount=False, seed=0, extra=(), qmp=False,
                 program=("qemu-system-i386",)):
        self.name = name
        accel = "tcg,thread=multi" if cpus > 1 and not icount else "tcg"
        self.args = [*program, "-accel", accel, "-M", machine,
                     "-m", str(ram), "-display", "none", "-monitor", "none",
                     "-nic", "none", "-no-reboot", "-serial", "stdio",
                     "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]
        if cpu:
            self.args += ["-cpu", cpu]
        if cpus > 1:
            self.args += ["-smp", "%d,sockets=%d,cores=1" % (cpus, cpus)]
        if icount:  # the guest's time leaps while it waits for a disk
            append = "disktimeout=0 " + append
            self.args += ["-icount", "shift=%d,sleep=off" % (seed % SHIFTS),
                          "-rtc", "base=2026-01-01T00:00:%02d,clock=vm" %
                          (seed % 60)]
        if kernel:
            self.args += ["-kernel", kernel, "-append", append]
        if initrd:
            self.args += ["-initrd", initrd]
        if cdrom:
            self.args += ["-boot", "d", "-cdrom", cdrom]
        if hda:
            self.args += ["-drive",
                          "format=raw,if=none,id=d0,snapshot=on,file=" + hda,
                          "-device", "ide-hd,drive=d0"]
        self.args += list(extra)
        self.qmp = self.qmpend = None
        if qmp:
            self.qmp, self.qmpend = socket.socketpair()
            self.args += ["-chardev", "socket,id=qmp,fd=%d" %
                          self.qmpend.fileno(),
                          "-mon", "chardev=qmp,mode=control"]
        self.deadline = time.monotonic() + timeout
        self.start = time.monotonic()
        self.out = bytearray()
        self.seen = 0
        self.proc = None
        self.rc = None

    def __enter__(self):
        fds = [self.qmpend.fileno()] if self.qmp else []
        self.proc = subprocess.Popen(self.args, stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, pass_fds=fds,
                                     stderr=subprocess.STDOUT, bufsize=0)
        if self.qmp:
            self.qmpend.close()
            self.qmp.settimeout(20)
            self.qmp = self.qmp.makefile("rw")
            self.execute("qmp_capabilities")
        os.set_blocking(self.proc.stdout.fileno(), False)
        return self

    def __exit__(self, kind, value, trace):
        if self.proc.poll() is None:
            self.proc.kill()
        self.proc.wait()
        self.proc.stdin.close()
        self.proc.stdout.close()
        if self.qmp:
            self.qmp.close()
        if kind is not None:
            self.keeplog()

    @property
    def text(self):
        """All output so far, with bare newlines."""
        return clean(self.out)

    def send(self, data):
        """Type a string (or bytes) on the serial line."""
        if isinstance(data, str):
            data = data.encode()
        try:
            self.proc.stdin.write(data)
        except OSError:
            raise Failure("QEMU has gone before input could be sent")

    def expect(self, pattern, timeout=None):
        """Wait for a regular expression behind the last match; its match."""
        end = self.deadline
        if timeout:
            end = min(end, time.monotonic() + timeout)
        while True:
            text = clean(self.out[self.seen:])
            m = re.search(pattern, text, re.M)
            if m:
                raw = self.out[self.seen:]
                self.seen += rawlength(raw, m.end())
                return m
            if PANICTEXT.search(text):
                self.drain(2)
                m = re.search(pattern, clean(self.out[self.seen:]), re.M)
                if m:
                    return m
                raise Failure("the kernel panicked")
            if not self.read(end):
                why = "no" if self.proc.poll() is None else "QEMU left without"
                raise Failure("%s /%s/ in the output; last: %r" %
                              (why, pattern, self.text[-200:]))

    def wait(self):
        """Read until QEMU leaves: its exit status, kept in rc as well."""
        while self.read(self.deadline):
            pass
        try:
            self.rc = self.proc.wait(
                max(0.1, self.deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise Failure("timed out; last: %r" % self.text[-200:])
        return self.rc

    def execute(self, command, **arguments):
        """A QMP command's result; for a Machine made with qmp=True."""
        try:
            print(json.dumps({"execute": command, "arguments": arguments}),
                  file=self.qmp, flush=True)
            for line in self.qmp:
                answer = json.loads(line)
                if "error" in answer:
                    raise Failure(answer["error"]["desc"])
                if "return" in answer:
                    return answer["return"]
        except (OSError, ValueError) as e:
            raise Failure("QEMU's monitor: %s" % e)
        raise Failure("QEMU's monitor has gone")

    def monitor(self, line):
        """What QEMU's monitor says to a command such as "info mem"."""
        return self.execute("human-monitor-command",
                            **{"command-line": line}).replace("\r", "")

    def alive(self):
        return time.monotonic() < self.deadline and self.proc.poll() is None

    def drain(self, seconds):
        end = time.monotonic() + seconds
        while self.read(end):
            pass

    def read(self, end):
        """Take some output: 0 at the end of it, or when the time is over."""
        left = end - time.monotonic()
        if left <= 0:
            return 0
        if not select.select([self.proc.stdout], [], [], left)[0]:
            return 0
        data = os.read(self.proc.stdout.fileno(), 65536)
        self.out += data
        return len(data)

    def keeplog(self):
        """Keep command and output for who looks into the failure."""
        os.makedirs(LOGS, exist_ok=True)
        name = re.sub(r"[^\w.-]+", "-", self.name)
        path = os.path.join(LOGS, name + ".log")
        with open(path, "wb") as f:
            f.write((" ".join(quote(a) for a in self.args) + "\n\n").encode())
            f.write(self.out)
            f.write(b"\n\nstatus %s\n" % str(self.proc.poll()).encode())
        return path


def clean(raw):
    return raw.decode("utf-8", "replace").replace("\r\n", "\n")


def rawlength(raw, n):
    """Bytes of raw that clean() turns into its first n characters."""
    low, high = n, len(raw)
    while low < high:
        mid = (low + high) // 2
        if len(clean(raw[:mid])) < n:
            low = mid + 1
        else:
            high = mid
    return low


def quote(arg):
    return "'%s'" % arg if re.search(r"[\s$*]", arg) or not arg else arg


def boot(expect=None, rc=PASS, panic=False, **kw):
    """Boot without input; the Machine after it left.  Raises Failure unless the
    exit status is rc, the text matches expect and nothing panicked."""
    with Machine(**kw) as m:
        m.wait()
        if not panic and PANICTEXT.search(m.text):
            raise Failure("the kernel panicked")
        if m.rc != rc:
            raise Failure("QEMU left with %d, not %d; last: %r" %
                          (m.rc, rc, m.text[-200:]))
        if expect and not re.search(expect, m.text, re.M):
            raise Failure("no /%s/ in the output; last: %r" %
                          (expect, m.text[-200:]))
    return m


def main():
    ap = argparse.ArgumentParser(description="boot Quire once in QEMU")
    ap.add_argument("--kernel", default="build/quire.elf")
    ap.add_argument("--initrd", default="build/initramfs.cpio")
    ap.add_argument("--append", default="panic=exit")
    ap.add_argument("--cdrom")
    ap.add_argument("--hda")
    ap.add_argument("--ram", default=128, type=int)
    ap.add_argument("--machine", default="pc")
    ap.add_argument("--cpu")
    ap.add_argument("--cpus", default=1, type=int)
    ap.add_argument("--timeout", default=60, type=float)
    ap.add_argument("--icount", action="store_true")
    ap.add_argument("--input", help="typed at once; \\n is a new line")
    a = ap.parse_args()
    kw = vars(a)
    typed = kw.pop("input")
    if a.cdrom or a.hda:
        kw["kernel"] = kw["initrd"] = None
    try:
        with Machine(**kw) as m:
            if typed:
                m.send(typed.replace("\\n", "\n"))
            m.wait()
    except Failure as e:
        sys.stdout.write(m.text)
        print("\n%s" % e, file=sys.stderr)
        return 124
    sys.stdout.write(m.text)
    return m.rc


if __name__ == "__main__":
    sys.exit(main())
