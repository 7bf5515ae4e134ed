"""cpio.py - write newc cpio archives (the format of an initramfs)."""

import stat


class Archive:
    """Entries in the order they are added; bytes() ends the archive."""

    def __init__(self):
        self.parts = []
        self.ino = 0

    def add(self, name, mode, data=b"", rdev=(0, 0)):
        self.ino += 1
        nlink = 2 if stat.S_ISDIR(mode) else 1
        fields = (self.ino, mode, 0, 0, nlink, 0, len(data), 0, 0,
                  rdev[0], rdev[1], len(name) + 1, 0)
        head = "070701" + "".join("%08X" % f for f in fields)
        self.parts.append(pad(head.encode() + name.encode() + b"\0"))
        self.parts.append(pad(data))
        return self

    def dir(self, name, perm=0o755):
        return self.add(name, stat.S_IFDIR | perm)

    def file(self, name, data, perm=0o755):
        if isinstance(data, str):
            data = data.encode()
        return self.add(name, stat.S_IFREG | perm, data)

    def link(self, name, target):
        return self.add(name, stat.S_IFLNK | 0o777, target.encode())

    def bytes(self):
        self.ino = -1
        self.add("TRAILER!!!", 0)
        self.ino = 0
        data = b"".join(self.parts)
        return data + b"\0" * (-len(data) % 512)


def pad(data):
    return data + b"\0" * (-len(data) % 4)
