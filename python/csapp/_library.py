"""The library as ctypes sees it: where it is, the types of its functions, and errors as exceptions."""

import atexit
import ctypes
import os
import socket
import threading
from ctypes import (
    CFUNCTYPE,
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


# Reports of the program's own, which are no failures of a call.
_REPORTING = {"unix_error", "posix_error", "csapp_gai_error", "dns_error", "app_error"}

# Where the reason is the resolver's, it is on standard error alone.
_RESOLVING = {"Getaddrinfo": socket.gaierror, "Getnameinfo": socket.gaierror,
              "Gethostbyname": socket.herror, "Gethostbyaddr": socket.herror}


class _Thread(threading.local):
    has_reported = False


_thread = _Thread()


def _note_report(message: bytes) -> None:
    _thread.has_reported = True


# The library's error handler: notes that the call which this thread is in has failed, and lets it return.
_error_handler = CFUNCTYPE(None, c_char_p)(_note_report)


def _forget_report(result: Any, function: Any, arguments: Any) -> Any:
    _thread.has_reported = False
    return result


def _raise_failure(result: Any, function: Any, arguments: Any) -> Any:
    """Turns a failure into the OSError of errno: of a checked function if it has reported one, of another
    if it returns -1. A -2 of the latter is the resolver's, and a caller's affair."""
    name = function.__name__
    has_reported, _thread.has_reported = _thread.has_reported, False
    if not has_reported and (result != -1 or name == "Sigsuspend"):
        return result
    if name in _RESOLVING or has_reported and result == -2:
        raise _RESOLVING.get(name, socket.gaierror)("the reason is on standard error")
    error = ctypes.get_errno()
    raise OSError(error, os.strerror(error))


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
        if name in _REPORTING:
            function.errcheck = _forget_report
        elif name != "csapp_set_error_handler":
            function.errcheck = _raise_failure
    # No checked function may end the interpreter; nor may one call it when it has ended.
    library.csapp_set_error_handler(ctypes.cast(_error_handler, c_void_p))
    does_nothing = ctypes.cast(library.csapp_error_return, c_void_p)
    atexit.register(library.csapp_set_error_handler, does_nothing)
    return library


CDLL = _load()
