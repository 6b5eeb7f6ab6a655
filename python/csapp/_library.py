"""The library as ctypes sees it: where it is, the types of its functions, and errors as exceptions."""

import ctypes
import errno
import os
import socket
from ctypes import (
    POINTER,
    Structure,
    c_char,
    c_char_p,
    c_int,
    c_long,
    c_size_t,
    c_ssize_t,
    c_uint,
    c_ulong,
    c_void_p,
)
from typing import Any, Optional

RIO_BUFSIZE = 8192
MAXLINE = 8192

_SONAME = "libcsapp.so.1"


class rio_t(Structure):  # the header's name
    """rio_t of csapp.h."""

    _fields_ = [
        ("rio_fd", c_int),
        ("rio_cnt", c_int),
        ("rio_bufptr", c_void_p),
        ("rio_buf", c_char * RIO_BUFSIZE),
    ]


_Rio = POINTER(rio_t)

# The result and the parameters of each function of csapp.h, but those that take a va_list.
_FUNCTIONS = {
    "unix_error": (None, c_char_p),
    "posix_error": (None, c_int, c_char_p),
    "csapp_gai_error": (None, c_int, c_char_p),
    "dns_error": (None, c_char_p),
    "app_error": (None, c_char_p),
    "Fork": (c_int,),
    "Execve": (None, c_char_p, c_void_p, c_void_p),
    "Wait": (c_int, c_void_p),
    "Waitpid": (c_int, c_int, c_void_p, c_int),
    "Kill": (None, c_int, c_int),
    "Sleep": (c_uint, c_uint),
    "Pause": (None,),
    "Alarm": (c_uint, c_uint),
    "Setpgid": (None, c_int, c_int),
    "Getpgrp": (c_int,),
    "Signal": (c_void_p, c_int, c_void_p),
    "Sigprocmask": (None, c_int, c_void_p, c_void_p),
    "Sigemptyset": (None, c_void_p),
    "Sigfillset": (None, c_void_p),
    "Sigaddset": (None, c_void_p, c_int),
    "Sigdelset": (None, c_void_p, c_int),
    "Sigismember": (c_int, c_void_p, c_int),
    "Sigsuspend": (c_int, c_void_p),
    "sio_puts": (c_ssize_t, c_char_p),
    "sio_putl": (c_ssize_t, c_long),
    "sio_error": (None, c_char_p),
    "Sio_puts": (c_ssize_t, c_char_p),
    "Sio_putl": (c_ssize_t, c_long),
    "Sio_error": (None, c_char_p),
    "__sio_assert_fail": (None, c_char_p, c_char_p, c_uint, c_char_p),
    "sio_printf": (c_ssize_t, c_char_p),
    "sio_dprintf": (c_ssize_t, c_int, c_char_p),
    "sio_eprintf": (c_ssize_t, c_char_p),
    "Open": (c_int, c_char_p, c_int, c_uint),
    "Read": (c_ssize_t, c_int, c_void_p, c_size_t),
    "Write": (c_ssize_t, c_int, c_void_p, c_size_t),
    "Lseek": (c_long, c_int, c_long, c_int),
    "Close": (None, c_int),
    "Select": (c_int, c_int, c_void_p, c_void_p, c_void_p, c_void_p),
    "Dup2": (c_int, c_int, c_int),
    "Stat": (None, c_char_p, c_void_p),
    "Fstat": (None, c_int, c_void_p),
    "Opendir": (c_void_p, c_char_p),
    "Readdir": (c_void_p, c_void_p),
    "Closedir": (c_int, c_void_p),
    "Mmap": (c_void_p, c_void_p, c_size_t, c_int, c_int, c_int, c_long),
    "Munmap": (None, c_void_p, c_size_t),
    "Fclose": (None, c_void_p),
    "Fdopen": (c_void_p, c_int, c_char_p),
    "Fgets": (c_void_p, c_void_p, c_int, c_void_p),
    "Fopen": (c_void_p, c_char_p, c_char_p),
    "Fputs": (None, c_char_p, c_void_p),
    "Fread": (c_size_t, c_void_p, c_size_t, c_size_t, c_void_p),
    "Fwrite": (None, c_void_p, c_size_t, c_size_t, c_void_p),
    "Malloc": (c_void_p, c_size_t),
    "Realloc": (c_void_p, c_void_p, c_size_t),
    "Calloc": (c_void_p, c_size_t, c_size_t),
    "Free": (None, c_void_p),
    "Socket": (c_int, c_int, c_int, c_int),
    "Setsockopt": (None, c_int, c_int, c_int, c_void_p, c_int),
    "Bind": (None, c_int, c_void_p, c_int),
    "Listen": (None, c_int, c_int),
    "Accept": (c_int, c_int, c_void_p, c_void_p),
    "Connect": (None, c_int, c_void_p, c_int),
    "Getaddrinfo": (None, c_char_p, c_char_p, c_void_p, c_void_p),
    "Getnameinfo": (None, c_void_p, c_uint, c_void_p, c_size_t, c_void_p, c_size_t, c_int),
    "Freeaddrinfo": (None, c_void_p),
    "Inet_ntop": (None, c_int, c_void_p, c_void_p, c_uint),
    "Inet_pton": (None, c_int, c_char_p, c_void_p),
    "Gethostbyname": (c_void_p, c_char_p),
    "Gethostbyaddr": (c_void_p, c_char_p, c_int, c_int),
    "Pthread_create": (None, c_void_p, c_void_p, c_void_p, c_void_p),
    "Pthread_join": (None, c_ulong, c_void_p),
    "Pthread_cancel": (None, c_ulong),
    "Pthread_detach": (None, c_ulong),
    "Pthread_exit": (None, c_void_p),
    "Pthread_self": (c_ulong,),
    "Pthread_once": (None, c_void_p, c_void_p),
    "Sem_init": (None, c_void_p, c_int, c_uint),
    "P": (None, c_void_p),
    "V": (None, c_void_p),
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
    "csapp_error_exit": (None, c_char_p),
    "csapp_error_return": (None, c_char_p),
    "csapp_error_thread_exit": (None, c_char_p),
    "csapp_error_abort": (None, c_char_p),
    "csapp_connect": (c_int, c_char_p, c_char_p, c_int),
    "csapp_listen": (c_int, c_char_p, c_char_p, c_int, c_uint),
    "csapp_accept": (c_int, c_int, c_void_p, c_void_p, c_int),
    "csapp_readlineb": (c_ssize_t, _Rio, c_void_p, c_size_t, c_int),
    "csapp_readnb": (c_ssize_t, _Rio, c_void_p, c_size_t, c_int),
    "csapp_readn": (c_ssize_t, c_int, c_void_p, c_size_t, c_int, c_void_p),
    "csapp_writen": (c_ssize_t, c_int, c_void_p, c_size_t, c_int, c_void_p),
    "csapp_version": (c_char_p,),
    "Pthread_mutex_init": (None, c_void_p, c_void_p),
    "Pthread_mutex_lock": (None, c_void_p),
    "Pthread_mutex_trylock": (c_int, c_void_p),
    "Pthread_mutex_unlock": (None, c_void_p),
    "Pthread_mutex_destroy": (None, c_void_p),
    "Pthread_cond_init": (None, c_void_p, c_void_p),
    "Pthread_cond_wait": (None, c_void_p, c_void_p),
    "Pthread_cond_timedwait": (c_int, c_void_p, c_void_p, c_void_p),
    "Pthread_cond_signal": (None, c_void_p),
    "Pthread_cond_broadcast": (None, c_void_p),
    "Pthread_cond_destroy": (None, c_void_p),
    "Pipe": (c_int, c_void_p),
    "Execvp": (None, c_char_p, c_void_p),
    "Sem_destroy": (None, c_void_p),
    "open_clientfd_r": (c_int, c_char_p, c_char_p),
    "Open_clientfd_r": (c_int, c_char_p, c_char_p),
}


# Reports of the program's own: the message and what it is about, from the arguments and errno.
_REPORTING = {
    "unix_error": lambda code, message: (message, os.strerror(code)),
    "posix_error": lambda _, code, message: (message, os.strerror(code)),
    "csapp_gai_error": lambda _, code, message: (message, _text(_libc.gai_strerror, code)),
    "dns_error": lambda _, message: (message, _text(_libc.hstrerror, _h_errno()) if _h_errno() else None),
    "app_error": lambda _, message: (message, None),
}

# Functions whose first argument is a path, which the exception names.
_PATHS = {"Execve", "Execvp", "Open", "Stat", "Opendir", "Fopen"}

_libc = ctypes.CDLL(None)
for _function in _libc.gai_strerror, _libc.hstrerror:
    _function.restype = c_char_p


def _text(function: Any, code: int) -> str:
    return os.fsdecode(function(code))


def _h_errno() -> int:
    location = _libc.__h_errno_location
    location.restype = POINTER(c_int)
    return int(location().contents.value)


class _Library(ctypes.CDLL):
    """A library whose functions are called with errno 0. What succeeds leaves errno alone, so that afterwards it says
    whether a call has failed, also of a function that returns nothing."""

    def __init__(self, name: str) -> None:
        super().__init__(name, use_errno=True)
        plain: Any = self._FuncPtr

        class Function(plain):  # type: ignore[misc]
            _flags_ = plain._flags_

            def __call__(self, *arguments: Any) -> Any:
                before = ctypes.set_errno(0)
                result = super().__call__(*arguments)
                if self.__name__ in _REPORTING:
                    _say_report(before, self.__name__, arguments)
                return result

        self._FuncPtr = Function


def _say_report(code: int, name: str, arguments: Any) -> None:
    """Writes the line of a report, as the library does outside of Python."""
    message, reason = _REPORTING[name](code, *arguments)
    ctypes.set_errno(code)
    os.write(2, message + (b"" if reason is None else b": " + os.fsencode(reason)) + b"\n")


def _raise_failure(result: Any, function: Any, arguments: Any) -> Any:
    """Turns a failure into an exception: of a checked function if it has left an errno, of another if it
    returns -1. Of the latter, -2 is the resolver's, and a caller's affair."""
    name: str = function.__name__
    is_checked = name[0].isupper() or name.startswith("csapp_O")
    code = ctypes.get_errno()
    if name == "Sigsuspend" and code == errno.EINTR or not (code if is_checked else result == -1):
        return result
    if name == "Getaddrinfo":
        raise _gaierror(_libc.getaddrinfo(*arguments))
    if name == "Getnameinfo":
        raise _gaierror(_libc.getnameinfo(*arguments))
    if name.startswith("Gethostby"):
        raise socket.herror(_h_errno(), _text(_libc.hstrerror, _h_errno()))
    if is_checked and result == -2:
        host, port = arguments if len(arguments) == 2 else (None, arguments[0])
        port = port if isinstance(port, bytes) else str(port).encode()
        refuse_unresolved(host, port, 0 if len(arguments) == 2 else socket.AI_PASSIVE)
        raise _gaierror(socket.EAI_SERVICE)
    path = os.fsdecode(arguments[0]) if name in _PATHS and arguments[0] is not None else None
    raise OSError(code, os.strerror(code), path)


def _gaierror(code: int) -> socket.gaierror:
    return socket.gaierror(code, _text(_libc.gai_strerror, code))


def refuse_unresolved(host: Optional[bytes], port: bytes, flags: int) -> None:
    """Raises what the resolver says against a host and a port, before the library says it on standard error."""
    for name in None, host:
        try:
            socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=flags)
        except UnicodeError:
            raise _gaierror(socket.EAI_NONAME) from None
    # The resolver takes these, and the library does not.
    if port.strip().isdigit() and int(port) > 65535:
        raise socket.gaierror(socket.EAI_SERVICE, f"{os.fsdecode(port)!r} is not a number from 0 to 65535")
    if host == b"*":
        raise _gaierror(socket.EAI_NONAME)


def _path() -> str:
    """The library that CSAPP_LIBRARY names; or the one beside this file, where an installation puts it; or
    the system's."""
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), _SONAME)
    return os.environ.get("CSAPP_LIBRARY", beside if os.path.exists(beside) else _SONAME)


def _load() -> ctypes.CDLL:
    try:
        library = _Library(_path())
    except OSError as why:
        raise ImportError(
            f"csapp cannot load the library: {why}; install libcsapp, or set CSAPP_LIBRARY to the path of {_SONAME}"
        ) from why
    for name, (result, *parameters) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.argtypes = parameters
        function.restype = result
        if name not in _REPORTING and name != "csapp_set_error_handler":
            function.errcheck = _raise_failure
    # No checked function may end the interpreter, nor write a line to standard error for what an exception says. The
    # handler is called with a string and has nothing to do, so any C function of a string that changes nothing will
    # do. One in Python would belong to one interpreter, and be called when that has ended.
    library.csapp_set_error_handler(ctypes.cast(_libc.strlen, c_void_p))
    return library


CDLL = _load()
_raw = ctypes.CDLL(_path(), use_errno=True)


def raw(name: str) -> Any:
    """A function of the library that raises nothing: its caller looks at the result."""
    result, *parameters = _FUNCTIONS[name]
    function = getattr(_raw, name)
    function.argtypes = parameters
    function.restype = result
    return function
