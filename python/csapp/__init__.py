"""Robust I/O and socket helpers of "Computer Systems: A Programmer's Perspective" (CS:APP), through
libcsapp.

>>> with csapp.Rio(csapp.open_clientfd("localhost", 80)) as server:   # doctest: +SKIP
...     server.write(b"HEAD / HTTP/1.0\\r\\n\\r\\n")
...     for line in server:
...         print(line)

A descriptor is an int, or an object with a fileno() method, such as a socket or a file. A failure raises OSError
with the errno of the system call (ConnectionRefusedError, BrokenPipeError, ...), or socket.gaierror if the
resolver fails. While a call waits, other threads run, and signal handlers run at once. If a handler raises
an exception, no byte that was read is lost.

CDLL is the library itself, with the types of every function of csapp.h. Its checked functions, whose names begin
with a capital, also raise OSError; they write no message and do not end the interpreter.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
from typing import Optional, Union

from ._library import CDLL, MAXLINE, RIO_BUFSIZE, raw, refuse_unresolved, rio_t
from ._rio import Descriptor, Limit, Rio, fileno_of, milliseconds, readn, writen

__all__ = [
    "CDLL",
    "DUALSTACK",
    "MAXLINE",
    "REUSEPORT",
    "RIO_BUFSIZE",
    "Rio",
    "accept",
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

Port = Union[int, str]

_ACCEPT = raw("csapp_accept")


def version() -> str:
    """The version of the library, such as "1.0.0"."""
    return str(CDLL.csapp_version().decode())


def open_clientfd(host: Optional[str], port: Port) -> int:
    """Connects to a server; host None is this machine. Returns a blocking, close-on-exec descriptor. Pass it
    to Rio or to socket.socket(fileno=...), or close it with os.close."""
    return int(CDLL.Open_clientfd(_host(host), _c_string(str(port))))


def connect(host: Optional[str], port: Port, timeout: Optional[float] = None) -> int:
    """Like open_clientfd, but raises TimeoutError after timeout seconds, for all addresses together. The resolver may
    take longer, and signals do not interrupt it."""
    if timeout is None:
        return open_clientfd(host, port)
    limit = milliseconds(timeout)
    host_, port_ = _host(host), _c_string(str(port))
    refuse_unresolved(host_, port_, 0)
    return int(CDLL.csapp_connect(host_, port_, limit))


def open_listenfd(port: Port) -> int:
    """Opens a listening socket on the first address of this machine that works (with glibc, on all IPv4 addresses).
    With port 0, the system chooses a free port. Returns a close-on-exec descriptor, which the caller has to close."""
    return int(CDLL.Open_listenfd(_c_string(str(port))))


def listen(host: Optional[str], port: Port, backlog: int = 0, flags: int = 0) -> int:
    """Opens a listening socket on the first address of host that works; with host None, on all addresses of this
    machine. backlog is the length of its queue (below 1: 1024). flags is 0, DUALSTACK, REUSEPORT, or both with |.
    Returns a close-on-exec descriptor, which the caller has to close."""
    host_, port_ = _host(host), _c_string(str(port))
    refuse_unresolved(host_, port_, socket.AI_PASSIVE)
    return int(CDLL.csapp_listen(host_, port_, backlog, flags))


def accept(listener: Descriptor, timeout: Optional[float] = None) -> int:
    """Accepts a connection. Returns a close-on-exec descriptor, which the caller has to close. Raises TimeoutError after
    timeout seconds. Signal handlers run at once."""
    number, limit = fileno_of(listener), Limit(listener, timeout)
    while True:
        result = _ACCEPT(number, None, None, limit.left())
        if result >= 0:
            return int(result)
        if ctypes.get_errno() != errno.EINTR:
            raise limit.error()


def _host(host: Optional[str]) -> Optional[bytes]:
    """A host's name as the resolver takes it: that of another alphabet by IDNA."""
    if host is None or host.isascii():
        return None if host is None else _c_string(host)
    try:
        return host.encode("idna")
    except UnicodeError as why:
        raise socket.gaierror(socket.EAI_NONAME, f"{host!r} is not the name of a host: {why}") from why


def _c_string(text: str) -> bytes:
    if "\0" in text:
        raise ValueError("embedded null character")
    return os.fsencode(text)
