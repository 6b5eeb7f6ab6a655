"""Robust I/O and socket helpers of "Computer Systems: A Programmer's Perspective" (CS:APP), through
libcsapp.

>>> with csapp.Rio(csapp.open_clientfd("localhost", 80)) as server:   # doctest: +SKIP
...     server.write(b"HEAD / HTTP/1.0\\r\\n\\r\\n")
...     for line in server:
...         print(line)

A descriptor is an int or anything with a fileno() method, such as a socket or a file. Every failure is an
OSError with the errno of the system call (ConnectionRefusedError, BrokenPipeError, ...), and
socket.gaierror where the resolver fails. While a call waits, other threads run (ctypes releases the
lock), and a signal's Python handler runs once the call is over.

CDLL is the library itself, with the types of every function of csapp.h. Its checked functions, which are
capitalised, write their line to standard error and raise the OSError as well; their failures cannot end
the interpreter.
"""

from __future__ import annotations

import ctypes
import os
import socket
from types import TracebackType
from typing import Any, Iterator, Optional, Protocol, Type, Union

from ._library import CDLL, MAXLINE, RIO_BUFSIZE, rio_t

__all__ = [
    "CDLL",
    "DUALSTACK",
    "MAXLINE",
    "REUSEPORT",
    "RIO_BUFSIZE",
    "Rio",
    "connect",
    "listen",
    "open_clientfd",
    "open_listenfd",
    "readn",
    "rio_t",
    "version",
    "writen",
]

DUALSTACK = 1
"""A flag of listen: IPv6 and IPv4 on one socket."""

REUSEPORT = 2
"""A flag of listen: let other sockets with this flag share the port."""


class HasFileno(Protocol):
    """What select.select takes as well: a socket, a file."""

    def fileno(self) -> int: ...


Descriptor = Union[int, HasFileno]
Port = Union[int, str]
Bytes = Union[bytes, bytearray, memoryview]


def version() -> str:
    """The version of the library, such as "1.0.0"."""
    return str(CDLL.csapp_version().decode())


def open_clientfd(host: Optional[str], port: Port) -> int:
    """Connects to a server; host None is this machine. Returns a blocking, close-on-exec descriptor, which is
    the caller's to close: give it to Rio, or to socket.socket(fileno=...)."""
    return connect(host, port)


def connect(host: Optional[str], port: Port, timeout: Optional[float] = None) -> int:
    """open_clientfd with a limit in seconds for all addresses together: TimeoutError."""
    milliseconds = -1 if timeout is None else max(0, round(min(timeout * 1000, 2**31 - 1)))
    result = CDLL.csapp_connect(_text(host), _port(port), milliseconds)
    return _descriptor(result, host, port, 0)


def open_listenfd(port: Port) -> int:
    """Opens a server's socket, on the first address of this machine that binds and listens (with glibc all of
    IPv4). Port 0 gives a free one. Returns a close-on-exec descriptor, which is the caller's to close."""
    return _descriptor(CDLL.open_listenfd(_port(port)), None, port, socket.AI_PASSIVE)


def listen(host: Optional[str], port: Port, backlog: int = 0, flags: int = 0) -> int:
    """Opens a server's socket on one address of one host, the first that binds and listens; host None is all of
    this machine's. backlog is the length of its queue (below 1: 1024), flags is 0 or DUALSTACK,
    REUSEPORT or both. Returns a close-on-exec descriptor, which is the caller's to close."""
    result = CDLL.csapp_listen(_text(host), _port(port), backlog, flags)
    return _descriptor(result, host, port, socket.AI_PASSIVE)


def readn(fd: Descriptor, count: int) -> bytes:
    """Reads count bytes; fewer only where the file ends first. Not to be mixed with a Rio on one
    descriptor."""
    if count < 0:
        raise ValueError("count must not be negative")
    buffer = ctypes.create_string_buffer(count)
    return ctypes.string_at(buffer, CDLL.rio_readn(_fileno(fd), buffer, count))


def writen(fd: Descriptor, data: Bytes) -> int:
    """Writes all of data and returns its length in bytes. A socket whose peer has gone raises BrokenPipeError
    or ConnectionResetError. Waits where the descriptor is non-blocking, so that a limit of settimeout()
    has no effect; one of SO_SNDTIMEO raises BlockingIOError."""
    if not isinstance(data, bytes):
        # By way of memoryview, which refuses an int: of that, bytes would make so many NULs.
        data = bytes(memoryview(data))
    return int(CDLL.rio_writen(_fileno(fd), data, len(data)))


class Rio:
    """A buffered reader of a descriptor: lines and blocks, mixed freely.

    Iterating gives lines until the file ends. A call that raises OSError has consumed nothing: on a
    non-blocking descriptor, or after a timeout, the next call finds all bytes again. Used by one
    thread at a time.

    A socket's settimeout() makes its descriptor non-blocking, so a call raises BlockingIOError at once
    where bytes have not come. A limit that it waits for, and raises BlockingIOError after, is the kernel's:

    >>> sock.settimeout(None)  # doctest: +SKIP
    >>> sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 30, 0))  # doctest: +SKIP

    close(), and with it the end of a with statement, closes what the Rio was made of.
    """

    def __init__(self, fd: Descriptor) -> None:
        self._file: Optional[Descriptor] = fd
        self._rio = rio_t()
        # No call asks for more than rio_t can take back when it fails; what the calls before it
        # had brought is kept here.
        self._buffer = ctypes.create_string_buffer(max(MAXLINE, RIO_BUFSIZE))
        self._kept = bytearray()
        CDLL.rio_readinitb(self._rio, _fileno(fd))

    def fileno(self) -> int:
        """The descriptor's number."""
        if self._file is None:
            raise ValueError("I/O operation on a closed Rio")
        return _fileno(self._file)

    @property
    def closed(self) -> bool:
        """Whether close() has been called."""
        return self._file is None

    def readline(self, limit: int = -1) -> bytes:
        """The next line with its newline, however long; the last one of a file may lack it, and b"" is the end
        of the file. At most limit bytes, unless that is negative."""
        self.fileno()
        end = self._kept.find(b"\n") + 1
        while not end and (limit < 0 or len(self._kept) < limit):
            room = MAXLINE - 1
            if limit >= 0:
                room = min(room, limit - len(self._kept))
            piece = self._call(CDLL.rio_readlineb, room + 1)
            self._kept += piece
            if piece.endswith(b"\n"):
                end = len(self._kept)
            elif not piece:
                break
        end = end or len(self._kept)
        return self._take(end if limit < 0 else min(end, limit))

    def read(self, count: int = -1) -> bytes:
        """Reads count bytes, or all up to the end of the file if count is negative; fewer only where the
        file ends first."""
        self.fileno()
        while count < 0 or len(self._kept) < count:
            room = RIO_BUFSIZE
            if count >= 0:
                room = min(room, count - len(self._kept))
            piece = self._call(CDLL.rio_readnb, room)
            self._kept += piece
            if len(piece) < room:
                break
        return self._take(len(self._kept) if count < 0 else count)

    def write(self, data: Bytes) -> int:
        """Writes all of data to the same descriptor, as writen does."""
        return writen(self.fileno(), data)

    def close(self) -> None:
        """Closes the descriptor, or the object that it came from. May be called again."""
        file, self._file = self._file, None
        if isinstance(file, int):
            os.close(file)
        elif file is not None:
            getattr(file, "close")()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def __enter__(self) -> Rio:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    def _call(self, call: Any, count: int) -> bytes:
        return ctypes.string_at(self._buffer, call(self._rio, self._buffer, count))

    def _take(self, count: int) -> bytes:
        head = bytes(self._kept[:count])
        del self._kept[:count]
        return head


def _fileno(fd: Descriptor) -> int:
    number = fd if isinstance(fd, int) else fd.fileno()
    # ctypes would take it modulo 2**32, and so for another descriptor.
    if not -(2**31) <= number < 2**31:
        raise OverflowError("the descriptor is no C int")
    return number


def _text(host: Optional[str]) -> Optional[bytes]:
    return None if host is None else _c_string(host)


def _port(port: Port) -> bytes:
    return _c_string(str(port))


def _c_string(text: str) -> bytes:
    if "\0" in text:
        raise ValueError("embedded null character")
    return os.fsencode(text)


def _descriptor(result: int, host: Optional[str], port: Port, flags: int) -> int:
    """A descriptor; for -2, the resolver's error. (The library has raised the others.)"""
    if result >= 0:
        return result
    socket.getaddrinfo(host, str(port), type=socket.SOCK_STREAM, flags=flags)
    # The resolver takes what the library refuses, a port above 65535.
    raise socket.gaierror(socket.EAI_SERVICE, f"port {port!r} is no port")
