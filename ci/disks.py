"""disks.py - the suite of disks: each driver reads and writes an image that the
host knows; partitions; errors, time-outs and disks that go away."""

import hashlib
import os
import random
import struct
import uuid
import zlib

from qemu import Failure, boot, Machine

SECTOR = 512
SECTORS = 16387  # of an image: no whole number of pages
HALF = 8195      # of those that are written to

# What it is called, how it is named, and QEMU's arguments for the drive d0.
DRIVERS = {
    "virtio": ("vda", {}, ["-device", "virtio-blk-pci,drive=d0"]),
    "virtio-4": ("vda", {"cpus": 4}, ["-device", "virtio-blk-pci,drive=d0"]),
    "virtio-pic": ("vda", {"append": " noapic"},
                   ["-device", "virtio-blk-pci,drive=d0"]),
    "ide-dma": ("hda", {}, ["-device", "ide-hd,drive=d0,bus=ide.0"]),
    "ide-slave": ("hdd", {}, ["-nodefaults", "-device",
                              "ide-hd,drive=d0,bus=ide.1,unit=1"]),
    "ide-pio": ("hda", {"machine": "isapc", "cpu": "pentium3"},
                ["-device", "ide-hd,drive=d0,bus=ide.0"]),
    "ahci": ("sda", {"machine": "q35"}, ["-device", "ide-hd,drive=d0"]),
    "ahci-4": ("sda", {"machine": "q35", "cpus": 4},
               ["-device", "ide-hd,drive=d0"]),
}

# Where the guest writes, by the byte, and how much; the last one is cut off.
WRITES = [(1, 3), (511, 2), (4095, 4098), (131071, 200000), (1000001, 77777),
          (HALF * SECTOR - 5, 100)]


def image(seed=1, sectors=SECTORS):
    return random.Random(seed).randbytes(sectors * SECTOR)


def sha(data):
    return hashlib.sha1(data).hexdigest()


def drive(path, **options):
    more = "".join(",%s=%s" % (k.replace("_", "-"), v)
                   for k, v in options.items())
    return ["-drive", "if=none,id=d0,format=raw,file=%s%s" % (path, more)]


def start(s, name, script, kind, more, cls=boot, **kw):
    """Boot with that init script and driver."""
    disk, how, device = DRIVERS[kind]
    how = dict(how)
    append = "panic=exit" + how.pop("append", "") + kw.pop("append", "")
    script = "d=/dev/%s\n" % disk + script
    return cls(name=name, kernel=s.KERNEL, append=append,
               initrd=s.smallroot(script, name + ".cpio"),
               extra=more + device, **how, **kw)


# Write /tmp/w to the disk from a byte on: by the byte as far as the next sector,
# for whose number dd counts in units.
PUT = """put() {
	(busybox dd bs=1 seek=$1 count=0 2>/dev/null; exec busybox cat /tmp/w) \\
		1<>$d 2>/tmp/err || echo refused: $(busybox grep -o 'No space.*' /tmp/err)
}
"""


def wholescript():
    lines = [PUT] + ["busybox dd if=$d bs=%d 2>/dev/null | busybox sha1sum\n" % bs
             for bs in (1000, 65536, 1 << 20)]
    for i, (at, n) in enumerate(WRITES):
        lines.append("busybox yes %d | busybox head -c %d >/tmp/w\n"
                     "put %d\n" % (i, n, at))
    lines.append("busybox sync\nbusybox sha1sum $d\n"
                 "busybox cat /proc/vmcheck || exit 3\n"
                 "echo quire-test: up\n")
    return "".join(lines)


def written(data):
    data = bytearray(data)
    for i, (at, n) in enumerate(WRITES):
        n = min(n, len(data) - at)
        data[at:at + n] = (b"%d\n" % i * n)[:n]
    return bytes(data)


def whole(s, name, kind):
    """Read it all, write some, and look at the image."""
    data = image(sectors=HALF)
    path = s.write(name + ".img", data)
    m = start(s, name, wholescript(), kind, drive(path),
              expect="^quire-test: up")
    if m.text.count(sha(data)) != 3:
        raise Failure("read something else; last: %r" % m.text[-400:])
    with open(path, "rb") as f:
        now = f.read()
    os.unlink(path)
    differs(now[:len(data)], written(data))
    if m.text.count(sha(written(data))) != 1:
        raise Failure("read something else after the writes")
    if "refused: No space left" not in m.text:
        raise Failure("a write behind the end was not refused")


def differs(now, wanted):
    for i, (a, b) in enumerate(zip(now, wanted)):
        if a != b:
            raise Failure("the image differs from byte %d on" % i)
    if len(now) != len(wanted):
        raise Failure("the image has another length")


def ramdisk(s, name):
    data = image(sectors=HALF)
    path = s.write(name + ".img", data)
    root = s.smallroot("d=/dev/ram0\n" + wholescript(), name + ".cpio")
    m = boot(name=name, kernel=s.KERNEL, append="panic=exit",
             initrd=root + "," + path, expect="^quire-test: up")
    if m.text.count(sha(data)) != 3 or \
            m.text.count(sha(written(data))) != 1:
        raise Failure("something else was read")


MANY = """
for d in $disks; do
	busybox dd if=/dev/$d bs=5000 2>/dev/null | busybox sha1sum &
done
wait
n=0
while [ $n -lt 20 ]; do
	for d in $disks; do
		busybox dd if=/bin/busybox of=/dev/$d bs=10007 count=9 skip=$n \\
			seek=$n conv=notrunc 2>/dev/null &
	done
	wait
	n=$((n + 1))
done
for d in $disks; do busybox sha1sum /dev/$d & done
wait
busybox cat /proc/vmcheck || exit 3
echo quire-test: up
"""


def many(s, name, cpus):
    """Disks of every driver on shared interrupt lines, all busy at once."""
    devices = ["virtio-blk-pci,addr=%d" % n for n in (8, 9, 10, 11, 12)] + [
        "ide-hd,bus=ide.0", "ide-hd,bus=ide.0", "ide-hd,bus=a.0",
        "ide-hd,bus=a.1"]
    disks = "vda vdb vdc vdd vde hda hdb sda sdb"
    extra, want = ["-device", "ahci,id=a,addr=16"], []
    with open(s.linux.busybox(), "rb") as f:
        program = f.read(28 * 10007)
    for i, device in enumerate(devices):
        data = image(100 + i, HALF)
        path = s.write("%s-%d.img" % (name, i), data)
        extra += ["-drive", "if=none,format=raw,id=d%d,file=%s" % (i, path),
                  "-device", "%s,drive=d%d" % (device, i)]
        want += [sha(data), sha(program + data[len(program):])]
    root = s.smallroot("disks='%s'\n" % disks + MANY, name + ".cpio")
    m = boot(name=name, kernel=s.KERNEL, append="panic=exit", initrd=root,
             extra=extra, cpus=cpus, expect="^quire-test: up")
    if [w for w in want if w not in m.text]:
        raise Failure("something else was read; last: %r" % m.text[-600:])


# Partition tables.

def entry(kind, first, n):
    return struct.pack("<B3xB3xII", 0, kind, first, n)


def putmbr(data, at, *entries):
    table = b"".join(entries).ljust(64, b"\0") + b"\x55\xaa"
    data[at * SECTOR + 446:at * SECTOR + 512] = table


def mbrimage():
    """Two primary ones, one of them too long, and a chain of two."""
    data = bytearray(image(2))
    putmbr(data, 0, entry(0x83, 63, 1001), entry(0x83, 16000, 9999),
           entry(0x05, 4000, 8000))
    putmbr(data, 4000, entry(0x83, 10, 700), entry(0x05, 2000, 2000))
    putmbr(data, 6000, entry(0x83, 20, 301))
    return bytes(data), {1: (63, 1001), 2: (16000, SECTORS - 16000),
                         3: (4000, 2), 5: (4010, 700), 6: (6020, 301)}


def loopimage():
    """A chain that leads back to its beginning."""
    data = bytearray(image(3))
    putmbr(data, 0, entry(0x0f, 4000, 8000))
    putmbr(data, 4000, entry(0x83, 10, 700), entry(0x05, 0, 2000))
    return bytes(data), {1: (4000, 2), 5: (4010, 700)}


def gptimage(damage=()):
    """Partitions 1 and 4; damage: which of the headers, 0 or 1, are junk."""
    data = bytearray(image(4))
    parts = {1: (2048, 1000), 4: (5000, 123)}
    kind = uuid.UUID("0fc63daf-8483-4772-8e79-3d69d8477de4").bytes_le
    table = bytearray(128 * 128)
    for n, (first, size) in parts.items():
        table[(n - 1) * 128:n * 128] = kind + bytes([n] * 16) + struct.pack(
            "<QQQ72x", first, first + size - 1, 0)
    putmbr(data, 0, entry(0xEE, 1, SECTORS - 1))
    last = SECTORS - 1
    for n, (at, other, where) in enumerate(((1, last, 2), (last, 1, last - 32))):
        head = struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, 0, 0,
                           at, other, 34, last - 33, bytes(16), where, 128,
                           128, zlib.crc32(table))
        head = head[:16] + struct.pack("<I", zlib.crc32(head)) + head[20:]
        if n in damage:
            head = head[:40] + b"junk" + head[44:]
        data[at * SECTOR:at * SECTOR + 92] = head
        data[where * SECTOR:where * SECTOR + len(table)] = table
    return bytes(data), {} if len(damage) == 2 else parts


def partitions(s, name):
    """Names, sizes and contents, of several disks at once."""
    images = [mbrimage(), loopimage(), gptimage(), gptimage((0,)),
              gptimage((0, 1))]
    extra, want = [], []
    for i, (data, parts) in enumerate(images):
        path = s.write("%s-%d.img" % (name, i), data)
        extra += ["-drive", "if=virtio,format=raw,readonly=on,file=" + path]
        letter = "abcde"[i]
        want += ["vd%s %d" % (letter, SECTORS)]
        for n, (first, size) in sorted(parts.items()):
            part = data[first * SECTOR:(first + size) * SECTOR]
            want += ["vd%s%d %d" % (letter, n, size), sha(part)]
    root = s.smallroot("""
for d in /dev/vd*; do
	echo "quire-test: ${d#/dev/} $(busybox blockdev --getsz $d)"
	case $d in
	*[0-9]) echo "quire-test: $(busybox sha1sum <$d)";;
	esac
done
""", name + ".cpio")
    m = boot(name=name, kernel=s.KERNEL, append="panic=exit", initrd=root,
             extra=extra)
    found = [line.split(": ", 1)[1].rstrip(" -")
             for line in m.text.splitlines() if line.startswith("quire-test")]
    if [w for w in want if w not in found] or len(found) < len(want):
        raise Failure("%s\nnot %s" % (found, want))
    if "vde: both GPTs are damaged" not in m.text:
        raise Failure("no word about a damaged GPT")


# What goes wrong.

BADREAD, BADWRITE = 1000, 2000  # sectors

ERRORS = """
busybox dd if=$d bs=4096 count=125 2>/dev/null | busybox sha1sum
busybox dd if=$d of=/tmp/x bs=4096 skip=125 count=1 2>/tmp/err && echo read it
echo "quire-test: read: $(busybox grep -o 'Input/output.*' /tmp/err)"
busybox dd if=$d bs=4096 skip=126 count=800 2>/dev/null | busybox sha1sum
busybox dd if=/init of=$d bs=4096 seek=250 count=1 conv=notrunc,fsync \\
	2>/tmp/err && echo wrote it
echo "quire-test: write: $(busybox grep -o 'Input/output.*' /tmp/err)"
busybox dd if=/init of=$d bs=4096 seek=251 count=1 conv=notrunc,fsync \\
	2>/dev/null || exit 4
busybox cat /proc/vmcheck || exit 3
echo quire-test: up
"""


def errors(s, name, kind):
    """A sector that cannot be read, one that cannot be written."""
    data = image()
    path = s.write(name + ".img", data)
    bad = ["-blockdev", "driver=blkdebug,node-name=d0,image.driver=file,"
           "image.filename=%s" % path +
           "".join(",inject-error.%d.event=none,inject-error.%d.iotype=%s,"
                   "inject-error.%d.errno=5,inject-error.%d.sector=%d" %
                   (i, i, how, i, i, at) for i, (how, at) in
                   enumerate((("read", BADREAD), ("write", BADWRITE))))]
    m = start(s, name, ERRORS, kind, bad, expect="^quire-test: up")
    os.unlink(path)
    disk = DRIVERS[kind][0]
    for line in ("quire-test: read: Input/output error",
                 "quire-test: write: Input/output error",
                 "%s: I/O error: read of 8 sectors at %d" % (disk, BADREAD),
                 "%s: I/O error: write of 8 sectors at %d" % (disk, BADWRITE),
                 sha(data[:125 * 4096]),
                 sha(data[126 * 4096:][:800 * 4096])):
        if line not in m.text:
            raise Failure("no %r in the output; last: %r" %
                          (line, m.text[-400:]))


ODD = """
busybox blockdev --getro /dev/vda
busybox dd if=/init of=/dev/vda count=1 conv=notrunc 2>&1 | busybox head -n 1
busybox sha1sum /dev/vda
echo "empty: $(busybox blockdev --getsize64 /dev/vdb)"
busybox sha1sum /dev/vdb
busybox dd if=/init of=/dev/vdb count=1 conv=notrunc 2>&1 | busybox head -n 1
busybox cat /dev/vdd
b() { busybox blockdev $* || exit 5; }
b --setrw /dev/vda
echo $(b --getro /dev/vda) $(b --getbsz /dev/vda) $(b --getra /dev/vda) one
echo $(b --getro /dev/vdc) $(b --getbsz /dev/vdc) $(b --getsz /dev/vdc) two
b --setro /dev/vdc
busybox dd if=/init of=/dev/vdc count=1 conv=notrunc 2>/dev/null && exit 6
b --setrw /dev/vdc
busybox dd if=/init of=/dev/vdc count=1 conv=notrunc 2>/dev/null || exit 7
echo quire-test: up
"""


def odd(s, name):
    """A disk that may not be written to, one of no size, one too few."""
    data = image()
    extra = []
    for n, some in enumerate((data, b"", data[:7 * 1024])):
        extra += ["-drive", "if=virtio,format=raw%s,file=%s" % (
            "" if n else ",readonly=on",
            s.write("%s-%d.img" % (name, n), some))]
    m = boot(name=name, kernel=s.KERNEL, append="panic=exit", extra=extra,
             initrd=s.smallroot(ODD, name + ".cpio"),
             expect="^quire-test: up")
    for line in ("vda: 8 MiB, virtio, read-only", "^1$",
                 "Operation not permitted", sha(data), "empty: 0", sha(b""),
                 "No space left", "can't open '/dev/vdd'", "1 512 256 one",
                 "0 1024 14 two"):
        if line.strip("^$") not in m.text:
            raise Failure("no %r in the output" % line)


GONE = """
busybox dd if=$d bs=4096 count=10 2>/dev/null | busybox sha1sum
echo quire-test: ready
read x
busybox dd if=$d of=/tmp/x bs=4096 skip=500 count=1 2>/tmp/err && exit 4
busybox cat /tmp/err
busybox dd if=/init of=$d seek=2 count=1 conv=notrunc,fsync 2>/dev/null && exit 5
busybox cat /proc/vmcheck || exit 3
echo quire-test: up
"""


def gone(s, name, kind):
    """The disk is taken away while the machine runs."""
    path = s.write(name + ".img", image())
    with start(s, name, GONE, kind, drive(path), cls=Machine, qmp=True) as m:
        m.expect("quire-test: ready")
        m.monitor("drive_del d0")
        m.send("\n")
        m.expect("Input/output error")
        m.expect("quire-test: up")
        if m.wait() != 33:
            raise Failure("QEMU left with %d" % m.rc)


SLOW = """
echo quire-test: ready
read x
busybox dd if=$d of=/tmp/x bs=4096 skip=100 count=1 2>/dev/null || exit 3
busybox dd if=$d of=/tmp/x bs=4096 skip=500 count=1 2>/tmp/err && exit 4
busybox cat /tmp/err
echo quire-test: late
read x
busybox sha1sum $d
echo quire-test: up
"""


def slow(s, name, kind):
    """An answer that does not come in time; later it does again."""
    data = image()
    path = s.write(name + ".img", data)
    with start(s, name, SLOW, kind, drive(path), cls=Machine, qmp=True,
               append=" disktimeout=1") as m:
        m.expect("quire-test: ready")
        throttle(m, 100)
        m.send("\n")
        m.expect("no answer for a request at sector 4000")
        m.expect("I/O error: read of")
        m.expect("Input/output error")
        m.expect("quire-test: late")
        throttle(m, 0)
        m.send("\n")
        m.expect(sha(data))
        m.expect("quire-test: up")
        if m.wait() != 33:
            raise Failure("QEMU left with %d" % m.rc)


def throttle(m, bps):
    """So many bytes a second; 0: as fast as it can."""
    m.execute("block_set_io_throttle", device="d0", bps=bps, bps_rd=0,
              bps_wr=0, iops=0, iops_rd=0, iops_wr=0)


def jobs(s):
    """(name, job) for ci/suites.py, which is s."""
    for kind in DRIVERS:
        run = s.job(whole, s, "disks-" + kind, kind)
        yield "disks-" + kind, s.wide(run) if kind.endswith("-4") else run
    yield "disks-ramdisk", s.job(ramdisk, s, "disks-ramdisk")
    yield "disks-many", s.job(many, s, "disks-many", 1)
    yield "disks-many-4", s.wide(s.job(many, s, "disks-many-4", 4))
    yield "disks-partitions", s.job(partitions, s, "disks-partitions")
    yield "disks-odd", s.job(odd, s, "disks-odd")
    for what in (errors, gone, slow):
        for kind in ("virtio", "ide-dma", "ide-pio", "ahci"):
            if what == slow and kind == "ahci":
                continue  # QEMU 7.2 crashes when such a port is stopped
            name = "disks-%s-%s" % (what.__name__, kind)
            yield name, s.job(what, s, name, kind)
