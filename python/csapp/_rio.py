"""Rio, the buffered reader, and the unbuffered calls: over csapp_readn and csapp_writen."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import io
import itertools
import math
import os
import socket
import time
import warnings
from types import TracebackType
from typing import Any, Callable, Iterator, List, Optional, Protocol, Tuple, Type, Union

from ._library import raw


class HasFileno(Protocol):
    """What select.select takes as well: a socket, a file."""

    def fileno(self) -> int: ...


Descriptor = Union[int, HasFileno]
Bytes = Union[bytes, bytearray, memoryview]

INHERITED: Any = type("Inherited", (), {"__repr__": lambda self: "INHERITED"})()
"""The default of each timeout parameter: the file's own limit, if it has one."""

_READN = raw("csapp_readn")
_WRITEN = raw("csapp_writen")
_GETSOCKOPT = ctypes.CDLL(None).getsockopt
_NO_LIMIT = -1


def fileno_of(file: Descriptor) -> int:
    """The number of a descriptor."""
    number = file if isinstance(file, int) else file.fileno()
    # ctypes would take it modulo 2**32, and so for another descriptor.
    if not -(2**31) <= number < 2**31:
        raise OverflowError(f"descriptor {number} does not fit a C int")
    return number


def milliseconds(seconds: Optional[float]) -> int:
    """A timeout as the library takes it: rounded up, so that it never ends early; -1 is none."""
    if seconds is None:
        return _NO_LIMIT
    if seconds != seconds or seconds < 0:
        raise ValueError("timeout must not be negative")
    return 2**31 - 1 if seconds > 2**31 / 1000 - 1 else math.ceil(seconds * 1000)


class Limit:
    """The time that a call may take, from its start on."""

    def __init__(self, file: Descriptor, timeout: Any, option: int = socket.SO_RCVTIMEO) -> None:
        self._is_of_kernel = False
        if timeout is INHERITED:
            of_socket: Callable[[], Optional[float]] = getattr(file, "gettimeout", lambda: None)
            timeout = of_socket()
            if timeout is None:
                timeout = _limit_of_kernel(fileno_of(file), option)
                self._is_of_kernel = timeout is not None
        milliseconds(timeout)  # refuses what is no timeout
        self._timeout: Optional[float] = timeout
        self._end = None if timeout is None else time.monotonic() + timeout

    def left(self) -> int:
        """The milliseconds that are left; -1 for no limit."""
        return _NO_LIMIT if self._end is None else milliseconds(max(0.0, self._end - time.monotonic()))

    def error(self) -> OSError:
        """The exception for the error that the last call of the library left."""
        code = ctypes.get_errno()
        if code == errno.ETIMEDOUT and self._end is not None:
            # A limit of 0 is a socket's way to say "do not wait"; the kernel's own ends by EAGAIN.
            if self._timeout == 0 or self._is_of_kernel:
                return BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN), 0)
            return TimeoutError(code, "timed out")
        return _error(code)


def _error(code: int) -> OSError:
    return OSError(code, os.strerror(code))


def _limit_of_kernel(number: int, option: int) -> Optional[float]:
    """The seconds of a socket's SO_RCVTIMEO or SO_SNDTIMEO; None if there are none."""
    value, size = (ctypes.c_long * 2)(), ctypes.c_uint(ctypes.sizeof(ctypes.c_long) * 2)
    if _GETSOCKOPT(number, socket.SOL_SOCKET, option, value, ctypes.byref(size)) or not any(value):
        return None
    return value[0] + value[1] / 1_000_000


def readn(fd: Descriptor, count: int, *, timeout: Any = INHERITED) -> bytes:
    """Reads count bytes; fewer only if the file ends first. Do not mix it with a Rio on the same descriptor.

    timeout is in seconds, for the whole call; None means no limit. Without it, the call uses the socket's timeout.
    If the call raises, the attribute `partial` of the exception has the bytes read so far.
    """
    if count < 0:
        raise ValueError("count must not be negative")
    number, limit = fileno_of(fd), _patient(fd, timeout, socket.SO_RCVTIMEO)
    buffer = ctypes.create_string_buffer(count)
    done, moved = 0, ctypes.c_size_t()
    try:
        while True:
            moved.value = 0
            result = _READN(number, ctypes.byref(buffer, done), count - done, limit.left(), ctypes.byref(moved))
            done += moved.value
            if result >= 0:
                return ctypes.string_at(buffer, done)
            if ctypes.get_errno() != errno.EINTR:
                raise limit.error()
            # The handlers of the signals run here, between two calls, and may raise.
    except BaseException as error:
        error.partial = ctypes.string_at(buffer, done)  # type: ignore[attr-defined]
        raise


def writen(fd: Descriptor, data: Bytes, *, timeout: Any = INHERITED) -> int:
    """Writes all of data and returns its length in bytes. A socket whose peer has gone raises BrokenPipeError
    or ConnectionResetError. Waits if the descriptor is non-blocking.

    timeout is in seconds, for the whole call; None means no limit. Without it, the call uses the socket's timeout.
    If the call raises, the attribute `characters_written` of the exception has the number of bytes written so far.
    """
    if not isinstance(data, bytes):
        # By way of memoryview, which refuses an int: of that, bytes would make so many NULs.
        data = bytes(memoryview(data))
    number, limit = fileno_of(fd), _patient(fd, timeout, socket.SO_SNDTIMEO)
    start = ctypes.cast(data, ctypes.c_void_p).value or 0
    done, moved = 0, ctypes.c_size_t()
    try:
        while True:
            moved.value = 0
            result = _WRITEN(number, start + done, len(data) - done, limit.left(), ctypes.byref(moved))
            done += moved.value
            if result >= 0:
                return len(data)
            if ctypes.get_errno() != errno.EINTR:
                raise limit.error()
    except BaseException as error:
        error.characters_written = done  # type: ignore[attr-defined]
        raise


def _patient(file: Descriptor, timeout: Any, option: int) -> Limit:
    """The limit of an unbuffered call. It waits on a socket whose own limit is 0, as the library's does on every
    O_NONBLOCK descriptor: half a message helps nobody."""
    if timeout is INHERITED and getattr(file, "gettimeout", lambda: None)() == 0:
        timeout = None
    return Limit(file, timeout, option)


# Bytes that one call of the library is asked for: what a pipe holds.
_CHUNK = 65536


class Rio(io.BufferedIOBase):
    """A buffered reader of a descriptor, a socket or a file. It reads lines and blocks, in any order.

    Iteration returns lines until the file ends. A call that raises has consumed nothing: after a timeout, or a
    signal handler that raises, the next call returns all bytes, including the part of a line read so far.
    Only one thread at a time may use it.

    timeout is in seconds, for a whole call; when the time is up, the call raises TimeoutError. Give it to a call, or
    here for all calls; None means no limit. Without it, the timeout of the socket's settimeout() applies. With
    a timeout of 0, or on a non-blocking descriptor without a timeout, a call raises BlockingIOError if it would
    have to wait.

    close(), also at the end of a with statement, closes the descriptor, socket or file, unless closefd is false.
    """

    def __init__(self, file: Descriptor, *, timeout: Any = INHERITED, closefd: bool = True) -> None:
        self._file: Optional[Descriptor] = None
        self._closefd = closefd
        self._timeout = timeout
        # What the library stores: bytes, and how many. _reads counts its calls.
        self._buffer = ctypes.create_string_buffer(_CHUNK)
        self._came = ctypes.c_size_t()
        self._reads = 0
        self._is_at_end = False
        self._may_have_more = True
        # What is read ahead: whole lines, the pieces of a line that has begun, and how many of the reads are in
        # them. One tuple, so that a signal handler that raises finds either all of a read in it or nothing.
        self._ahead: Tuple[io.BytesIO, Tuple[bytes, ...], int] = (io.BytesIO(), (), 0)
        fileno_of(file)
        self._file = file

    def fileno(self) -> int:
        """The descriptor's number."""
        if self._file is None:
            raise ValueError("I/O operation on a closed Rio")
        return fileno_of(self._file)

    @property
    def closed(self) -> bool:
        """Whether close() has been called."""
        return self._file is None

    def readable(self) -> bool:
        """True."""
        self.fileno()
        return True

    def writable(self) -> bool:
        """Whether the descriptor is open for writing."""
        return fcntl.fcntl(self.fileno(), fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY

    def isatty(self) -> bool:
        """Whether the descriptor is a terminal."""
        return os.isatty(self.fileno())

    def readline(self, size: Optional[int] = -1, *, timeout: Any = INHERITED) -> bytes:  # type: ignore[override]
        """Returns the next line, of any length, with its newline. The last line of a file may lack the newline. Returns
        b"" at the end of the file, and at most size bytes unless size is negative."""
        line = self._ahead[0].readline(size)
        if line or size == 0:
            return line
        return self._wait_for_line(-1 if size is None else size, self._limit(timeout))

    def readlines(self, hint: Optional[int] = -1, *, timeout: Any = INHERITED) -> List[bytes]:  # type: ignore[override]
        """Returns the lines up to the end of the file. If hint is above 0, stops after the line that completes hint
        bytes."""
        left = math.inf if hint is None or hint <= 0 else hint
        limit = self._limit(timeout)
        lines: List[bytes] = []
        try:
            while left > 0:
                line = self._ahead[0].readline() or self._wait_for_line(-1, limit)
                if not line:
                    break
                lines.append(line)
                left -= len(line)
        except BaseException:
            self._put_back(b"".join(lines))
            raise
        return lines

    def read(self, size: Optional[int] = -1, *, timeout: Any = INHERITED) -> bytes:  # type: ignore[override]
        """Reads size bytes, or all up to the end of the file if size is negative or None; fewer only if the
        file ends first."""
        size = -1 if size is None else size
        if size < -1:
            raise ValueError("size must be at least -1")
        pieces = [self._take(size)]
        left = size - len(pieces[0]) if size >= 0 else -1
        limit = self._limit(timeout)
        try:
            while left != 0 and self._fill(limit):
                pieces.append(self._take(left))
                left -= len(pieces[-1]) if size >= 0 else 0
        except BaseException:
            self._put_back(b"".join(pieces))
            raise
        return b"".join(pieces)

    def read1(self, size: Optional[int] = -1, *, timeout: Any = INHERITED) -> bytes:  # type: ignore[override]
        """Returns the bytes that are available, at most size unless size is negative. Waits only if there are none.
        Returns b"" at the end of the file."""
        size = -1 if size is None else size
        there = self._take(size)
        if there or size == 0 or not self._fill(self._limit(timeout)):
            return there
        return self._take(size)

    def readinto(self, buffer: Any, *, timeout: Any = INHERITED) -> int:  # type: ignore[override]
        """Reads into a writable buffer, as many bytes as it has room for. Returns their number."""
        return _into(buffer, self.read, timeout)

    def readinto1(self, buffer: Any, *, timeout: Any = INHERITED) -> int:  # type: ignore[override]
        """Reads into a writable buffer as read1() does. Returns the number of bytes."""
        return _into(buffer, self.read1, timeout)

    def peek(self, size: int = 0, *, timeout: Any = INHERITED) -> bytes:
        """Returns available bytes without consuming them: at least one byte, unless the file has ended. Ignores size, as
        io.BufferedReader does."""
        there = self.read1(timeout=timeout)
        self._put_back(there)
        return there

    def write(self, data: Bytes, *, timeout: Any = INHERITED) -> int:  # type: ignore[override]
        """Writes all of data to the same descriptor, as writen does."""
        self.fileno()
        own = self._timeout if timeout is INHERITED else timeout
        return writen(self._file, data, timeout=own)  # type: ignore[arg-type]

    def flush(self) -> None:
        """Does nothing, because write() buffers nothing."""
        self.fileno()

    def close(self) -> None:
        """Closes the descriptor, or the object that it came from. May be called again."""
        if self._file is not None:
            self.flush()  # a subclass may have something to
        file, self._file = self._file, None
        self._ahead[0].close()
        if file is None or not self._closefd:
            return
        if isinstance(file, int):
            os.close(file)
        else:
            getattr(file, "close")()

    def __iter__(self) -> Iterator[bytes]:
        self.fileno()
        return self._iterate()

    def _iterate(self) -> Iterator[bytes]:
        line = b"more"
        while line:
            # BytesIO is the quickest way; the line behind what it has goes the long one. In a chain, since a generator
            # that is closed closes what it yields from.
            yield from itertools.chain(self._ahead[0])
            line = self._wait_for_line(-1, self._limit(INHERITED))
            if line:
                yield line

    def __enter__(self) -> Rio:
        self.fileno()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        if self._file is None:
            return "<csapp.Rio, closed>"
        lines = self._ahead[0]
        ahead = lines.getbuffer().nbytes - lines.tell() + self._begun()
        return f"<csapp.Rio of {self._file!r}, {ahead} bytes read ahead>"

    def __del__(self) -> None:
        file = getattr(self, "_file", None)
        if file is None or not self._closefd or getattr(file, "closed", False) is True:
            return
        warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
        # A socket or a file, which may be in other hands as well, closes itself when nobody has it.
        self._closefd = isinstance(file, int)
        self.close()

    def _limit(self, timeout: Any) -> Limit:
        file = self._file
        if file is None:
            raise ValueError("I/O operation on a closed Rio")
        timeout = self._timeout if timeout is INHERITED else timeout
        if timeout is INHERITED and not hasattr(file, "gettimeout") and not os.get_blocking(fileno_of(file)):
            timeout = 0  # the program made the descriptor non-blocking, so it does not want to wait
        return Limit(file, timeout)

    def _begun(self) -> int:
        """How many bytes there are of a line that has begun."""
        return sum(map(len, self._ahead[1]))

    def _wait_for_line(self, size: int, limit: Limit) -> bytes:
        """readline, if the buffer has no whole line."""
        while (size < 0 or self._begun() < size) and self._fill(limit):
            line = self._ahead[0].readline(size)
            if line:
                return line
        return self._take(size)

    def _fill(self, limit: Limit) -> bool:
        """Waits for bytes and puts what comes behind what is there. False at the end of the file."""
        self._keep_what_came()
        came: Optional[bool] = None
        if self._is_at_end:
            came = self._is_at_end = False
        elif self._may_have_more:
            came = self._read(_CHUNK, 0)
        while came is None:
            # For the first byte, whenever it comes; and then for what came with it.
            came = self._read(1, limit.left())
            if came:
                self._is_at_end = self._read(_CHUNK, 0) is False or self._is_at_end
            elif came is None and ctypes.get_errno() != errno.EINTR:
                raise limit.error()
        return came

    def _read(self, count: int, wait: int) -> Optional[bool]:
        """Reads at most count bytes. Whether something came, and not the end of the file; None if time is up or a
        signal came, whose handler runs when this returns, and may raise."""
        self._came.value = 0
        self._reads += 1
        number = fileno_of(self._file)  # type: ignore[arg-type]
        result = _READN(number, self._buffer, count, wait, ctypes.byref(self._came))
        came = self._came.value
        self._may_have_more = came == _CHUNK
        if came:
            self._is_at_end = 0 <= result < count
            self._keep_what_came()
            return True
        if result == 0:
            return False
        if ctypes.get_errno() in (errno.EINTR, errno.ETIMEDOUT):
            return None
        raise _error(ctypes.get_errno())

    def _keep_what_came(self) -> None:
        """Takes over what the last read brought, unless that has been done: it may have been put off by a signal
        handler that raised."""
        lines, begun, reads = self._ahead
        if reads == self._reads or not self._came.value:
            return
        came = self._buffer[: self._came.value]
        end = came.rfind(b"\n") + 1
        if end:
            unread = lines.getbuffer()[lines.tell() :]
            lines = io.BytesIO(b"".join((unread, *begun, came[:end])))
            begun = ()
        self._ahead = (lines, (*begun, came[end:]), self._reads)

    def _take(self, size: int) -> bytes:
        """At most size bytes of what is at hand; all if size is negative."""
        self.fileno()
        self._keep_what_came()
        lines, begun, reads = self._ahead
        taken = lines.read(size)
        if begun and (size < 0 or len(taken) < size):
            taken += b"".join(begun)
            rest = b"" if size < 0 else taken[size:]
            taken = taken[: len(taken) - len(rest)]
            self._ahead = (lines, (rest,) if rest else (), reads)
        return taken

    def _put_back(self, taken: bytes) -> None:
        """Has the next call begin with these bytes."""
        there = taken + self._take(-1)
        end = there.rfind(b"\n") + 1
        self._ahead = (io.BytesIO(there[:end]), (there[end:],), self._ahead[2])


def _into(buffer: Any, read: Callable[..., bytes], timeout: Any) -> int:
    view = memoryview(buffer).cast("B")
    data = read(len(view), timeout=timeout)
    view[: len(data)] = data
    return len(data)
