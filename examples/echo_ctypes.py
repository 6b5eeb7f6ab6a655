"""Sends a line to an echo server and reads it back, through libcsapp by ctypes alone.

usage: echo_ctypes.py LIBRARY HOST PORT
"""

import ctypes
import os
import sys


class Rio(ctypes.Structure):
    """rio_t, as csapp.h has it."""

    _fields_ = [
        ("rio_fd", ctypes.c_int),
        ("rio_cnt", ctypes.c_int),
        ("rio_bufptr", ctypes.c_void_p),
        ("rio_buf", ctypes.c_char * 8192),
    ]


def load(path):
    """The library, with the types of the calls below: ctypes would take every result for an int."""
    csapp = ctypes.CDLL(path, use_errno=True)
    csapp.csapp_version.restype = ctypes.c_char_p
    csapp.open_clientfd.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    csapp.rio_readinitb.argtypes = [ctypes.POINTER(Rio), ctypes.c_int]
    csapp.rio_readinitb.restype = None
    for call in (csapp.rio_writen, csapp.rio_readlineb):
        call.restype = ctypes.c_ssize_t
    csapp.rio_writen.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t]
    csapp.rio_readlineb.argtypes = [ctypes.POINTER(Rio), ctypes.c_void_p, ctypes.c_size_t]
    return csapp


def checked(result):
    """A result, or the OSError that errno tells of."""
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__.strip())
    path, host, port = sys.argv[1:]
    csapp = load(path)
    fd = csapp.open_clientfd(host.encode(), port.encode())
    if fd == -2:
        sys.exit(1)  # no such host or port: the library has written a line that says so
    checked(fd)
    rio, line = Rio(), ctypes.create_string_buffer(8192)
    csapp.rio_readinitb(rio, fd)
    message = b"hello from Python\n"
    checked(csapp.rio_writen(fd, message, len(message)))
    count = checked(csapp.rio_readlineb(rio, line, len(line)))
    os.close(fd)
    if line.value != message:
        sys.exit(f"sent {message!r}, got {line.raw[:count]!r}")
    print(f"libcsapp {csapp.csapp_version().decode()}: {line.value!r} came back, {count} bytes")


if __name__ == "__main__":
    try:
        main()
    except OSError as why:
        sys.exit(f"echo_ctypes.py: {' '.join(sys.argv[1:])}: {why.strerror or why}")
