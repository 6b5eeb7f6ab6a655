"""The library as ctypes sees it: where it is, the types of its functions, and errors as exceptions."""

import ctypes
import os
from ctypes import (
    POINTER,
    Structure,
    c_char,
    c_char_p,
    c_int,
    c_size_t,
    c_ssize_t,
    c_uint,
    c_void_p,
)
from typing import Any

RIO_BUFSIZE = 8192
MAXLINE = 8192

_SONAME = "libcsapp.so.1"


class rio_t(Structure):  # the header's name
    """rio_t of csapp.h. Must not be copied."""

    _fields_ = [
        ("rio_fd", c_int),
        ("rio_cnt", c_int),
        ("rio_bufptr", c_void_p),
        ("rio_buf", c_char * RIO_BUFSIZE),
    ]


_Rio = POINTER(rio_t)

# The result and the parameters of each function.
_FUNCTIONS = {
    "unix_error": (None, c_char_p),
    "posix_error": (None, c_int, c_char_p),
    "csapp_gai_error": (None, c_int, c_char_p),
    "dns_error": (None, c_char_p),
    "app_error": (None, c_char_p),
    "rio_readn": (c_ssize_t, c_int, c_void_p, c_size_t),
    "rio_writen": (c_ssize_t, c_int, c_void_p, c_size_t),
    "rio_readinitb": (None, _Rio, c_int),
    "rio_readnb": (c_ssize_t, _Rio, c_void_p, c_size_t),
    "rio_readlineb": (c_ssize_t, _Rio, c_void_p, c_size_t),
    "Rio_readn": (c_ssize_t, c_int, c_void_p, c_size_t),
    "Rio_writen": (None, c_int, c_void_p, c_size_t),
    "Rio_readinitb": (None, _Rio, c_int),
    "Rio_readnb": (c_ssize_t, _Rio, c_void_p, c_size_t),
    "Rio_readlineb": (c_ssize_t, _Rio, c_void_p, c_size_t),
    "open_clientfd": (c_int, c_char_p, c_char_p),
    "open_listenfd": (c_int, c_char_p),
    "Open_clientfd": (c_int, c_char_p, c_char_p),
    "Open_listenfd": (c_int, c_char_p),
    "csapp_open_clientfd_2e": (c_int, c_char_p, c_int),
    "csapp_open_listenfd_2e": (c_int, c_int),
    "csapp_Open_clientfd_2e": (c_int, c_char_p, c_int),
    "csapp_Open_listenfd_2e": (c_int, c_int),
    "csapp_set_error_handler": (c_void_p, c_void_p),
    "csapp_error_exit": (None,),
    "csapp_error_return": (None,),
    "csapp_error_thread_exit": (None,),
    "csapp_connect": (c_int, c_char_p, c_char_p, c_int),
    "csapp_listen": (c_int, c_char_p, c_char_p, c_int, c_uint),
    "csapp_version": (c_char_p,),
}


def _raise_errno(result: int, function: Any, arguments: Any) -> int:
    """Turns -1 into the OSError of errno. -2 is the resolver's, and a caller's affair."""
    if result == -1:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def _load() -> ctypes.CDLL:
    """The library that CSAPP_LIBRARY names; or the one beside this file, where an installation puts it; or
    the system's."""
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), _SONAME)
    default = beside if os.path.exists(beside) else _SONAME
    library = ctypes.CDLL(os.environ.get("CSAPP_LIBRARY", default), use_errno=True)
    for name, (result, *parameters) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.argtypes = parameters
        function.restype = result
        if result in (c_int, c_ssize_t):
            function.errcheck = _raise_errno
    # No checked function may end the interpreter.
    library.csapp_set_error_handler(ctypes.cast(library.csapp_error_return, c_void_p))
    return library


CDLL = _load()
