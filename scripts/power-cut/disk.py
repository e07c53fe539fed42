"""A disk that records what reaches it: a file system in user space (FUSE) with one file, for a loop device.

A disk with a write cache promises only that what was written before a completed flush stays. `Recording.cut` makes
the image of such a disk after a power cut: all writes up to the last flush, and of the later ones none, all, or any.
"""

import ctypes
import errno
import mmap
import os
import stat
import struct

BLOCK = 4096  # A write is kept or lost in pieces of this size: what file systems expect of a disk.
LOST, KEPT, MIXED = "lost", "kept", "mixed"

MOUNT_FLAGS = 2 | 4  # MS_NOSUID | MS_NODEV
IN_HEADER = struct.Struct("<IIQQIIIHH")
OUT_HEADER = struct.Struct("<IiQ")
ENTRY = struct.Struct("<QQ")  # Of the log: offset and length of a write. A flush has length 0.
REQUEST_BYTES = 1 << 20
COUNT = struct.Struct("<Q")

LOOKUP, FORGET, GETATTR, OPEN, READ, WRITE, RELEASE, FSYNC, FLUSH, INIT, INTERRUPT, DESTROY, BATCH_FORGET = (
    1, 2, 3, 14, 15, 16, 18, 20, 25, 26, 36, 38, 42)  # fmt: skip


class Recorder:
    """Serves `folder`/disk from `image`, in a process of its own, and records what is written in `log`."""

    def __init__(self, folder, image, log):
        self.folder, self.path = folder, os.path.join(folder, "disk")
        self.shared = mmap.mmap(-1, COUNT.size)
        device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={device},rootmode=40000,user_id=0,group_id=0"
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"recorder", folder.encode(), b"fuse.recorder", MOUNT_FLAGS, options.encode()) != 0:
            raise OSError(ctypes.get_errno(), f"cannot mount a file system of FUSE: {os.strerror(ctypes.get_errno())}")
        self.child = os.fork()
        if self.child == 0:
            try:
                Server(device, image, log, self.shared).serve()
            finally:
                os._exit(0)
        os.close(device)

    def position(self):
        """Number of writes and flushes that the disk has confirmed."""
        return COUNT.unpack_from(self.shared)[0]

    def close(self):
        ctypes.CDLL(None).umount2(self.folder.encode(), 0)
        os.waitpid(self.child, 0)


class Server:
    """Answers the kernel's requests one after the other, so that the log has them in the order of their completion."""

    def __init__(self, device, image, log, shared):
        self.device, self.shared, self.count = device, shared, 0
        self.image = os.open(image, os.O_RDWR)
        self.log = open(log, "wb")
        self.size = os.fstat(self.image).st_size

    def serve(self):
        while True:
            try:
                request = os.read(self.device, REQUEST_BYTES + BLOCK)
            except OSError as error:
                if error.errno in (errno.EINTR, errno.ENOENT, errno.EAGAIN):
                    continue
                break  # It is not mounted any more.
            _, kind, unique, node, *_ = IN_HEADER.unpack_from(request)
            if kind == DESTROY:
                break
            if kind in (FORGET, BATCH_FORGET, INTERRUPT):
                continue
            answer = self.answer(kind, node, memoryview(request)[IN_HEADER.size :])
            error, content = (-answer, b"") if isinstance(answer, int) else (0, answer)
            os.write(self.device, OUT_HEADER.pack(OUT_HEADER.size + len(content), error, unique) + content)
        self.log.close()

    def answer(self, kind, node, body):
        if kind == INIT:
            _, _, readahead, flags = struct.unpack_from("<IIII", body)
            flags &= 1 << 5 | 1 << 22  # Large writes, and so many pages.
            pages = REQUEST_BYTES // mmap.PAGESIZE
            return struct.pack("<IIIIHHIIHHII24x", 7, 31, readahead, flags, 16, 12, REQUEST_BYTES, 1, pages, 0, 0, 0)
        if kind == LOOKUP:
            if bytes(body) != b"disk\0":
                return errno.ENOENT
            return struct.pack("<QQQQII", 2, 0, 3600, 3600, 0, 0) + self.attributes(2)
        if kind == GETATTR:
            return struct.pack("<QII", 3600, 0, 0) + self.attributes(node)
        if kind == OPEN:
            return struct.pack("<QIi", 0, 1, 0)  # FOPEN_DIRECT_IO: nothing waits in the page cache.
        if kind in (RELEASE, FLUSH):
            return b""
        if kind == READ:
            _, offset, size = struct.unpack_from("<QQI", body)
            return os.pread(self.image, size, offset)
        if kind == WRITE:
            _, offset, size = struct.unpack_from("<QQI", body)
            data = body[40 : 40 + size]
            os.pwrite(self.image, data, offset)
            self.record(offset, data)
            return struct.pack("<II", size, 0)
        if kind == FSYNC:
            self.record(0, b"")
            return b""
        return errno.ENOSYS

    def attributes(self, node):
        size, mode = (self.size, stat.S_IFREG | 0o600) if node == 2 else (0, stat.S_IFDIR | 0o700)
        return struct.pack("<QQQQQQIIIIIIIIII", node, size, size // 512, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, BLOCK, 0)

    def record(self, offset, data):
        self.log.write(ENTRY.pack(offset, len(data)))
        self.log.write(data)
        self.count += 1
        COUNT.pack_into(self.shared, 0, self.count)


class Recording:
    """What a `Recorder` recorded. `durable` is the image that it began with; it advances with the cuts."""

    def __init__(self, durable, log):
        self.durable, self.applied, self.writes = durable, 0, []
        self.log = open(log, "rb")
        while head := self.log.read(ENTRY.size):
            offset, size = ENTRY.unpack(head)
            self.writes.append((offset, size, self.log.tell()))
            self.log.seek(size, os.SEEK_CUR)

    def cut(self, position, what, random, image):
        """Writes the disk after a power cut at this position into the file `image`. Positions must not decrease."""
        flushed = position
        while flushed > self.applied and self.writes[flushed - 1][1] > 0:
            flushed -= 1
        with open(self.durable, "r+b", buffering=0) as out:
            for offset, size, at in self.writes[self.applied : flushed]:
                self.apply(out, offset, size, at)
        self.applied = flushed
        copy_sparse(self.durable, image)
        with open(image, "r+b", buffering=0) as out:
            for offset, size, at in self.writes[flushed:position]:
                for piece in range(0, size, BLOCK):
                    if what == KEPT or what == MIXED and random.random() < 0.5:
                        self.apply(out, offset + piece, min(BLOCK, size - piece), at + piece)

    def apply(self, out, offset, size, at):
        os.pwrite(out.fileno(), os.pread(self.log.fileno(), size, at), offset)


def extents(file):
    """The parts of a file that are not holes: pairs of begin and end."""
    end, size = 0, os.fstat(file.fileno()).st_size
    while end < size:
        try:
            begin = os.lseek(file.fileno(), end, os.SEEK_DATA)
        except OSError:
            return  # Only a hole is left.
        end = os.lseek(file.fileno(), begin, os.SEEK_HOLE)
        yield begin, end


def content(path):
    """What a file contains, without its holes."""
    with open(path, "rb", buffering=0) as file:
        return b"".join(os.pread(file.fileno(), end - begin, begin) for begin, end in extents(file))


def copy_sparse(source, target):
    """Copies a file, with its holes."""
    with open(source, "rb", buffering=0) as old, open(target, "wb", buffering=0) as new:
        new.truncate(os.fstat(old.fileno()).st_size)
        for begin, end in extents(old):
            while begin < end:
                begin += os.pwrite(new.fileno(), os.pread(old.fileno(), min(1 << 20, end - begin), begin), begin)
