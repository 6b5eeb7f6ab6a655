"""Makes every checked function of the library fail, each of which has to raise OSError, and says so
at the end. Run by test_csapp.py as a program of its own, since it spoils standard output."""

import ctypes
import os
import socket
import sys
from ctypes import byref, c_int, c_long, c_void_p, create_string_buffer

import csapp

lib = csapp.CDLL
libc = ctypes.CDLL(None)
for name in ("dirfd", "fileno"):
    getattr(libc, name).argtypes = [c_void_p]

# Those that fail only where a machine is short of something, or not at all; and those whose purpose is to
# end something.
SPARED = {
    "Fork", "Sleep", "Pause", "Alarm", "Getpgrp", "Free", "Freeaddrinfo", "Pthread_self", "Pthread_once",
    "Pthread_cancel", "P", "Sem_destroy", "Pthread_mutex_init", "Pthread_mutex_trylock", "Pthread_cond_init", "Pthread_cond_signal",
    "Pthread_cond_broadcast", "Pthread_cond_destroy", "Sio_error", "Pthread_exit",
}

room = create_string_buffer(1024)  # for whatever is stored or read
rio = csapp.rio_t()


def broken_directory():
    """A directory whose descriptor somebody else has closed."""
    directory = lib.Opendir(b"/")
    os.close(libc.dirfd(directory))
    return directory


def broken_stream():
    """The same of a stream."""
    stream = lib.Fopen(b"/dev/null", b"w")
    os.close(libc.fileno(stream))
    return stream


def strict_mutex(locked):
    """A mutex that notices its misuse."""
    attributes, mutex = create_string_buffer(64), create_string_buffer(64)
    libc.pthread_mutexattr_init(attributes)
    libc.pthread_mutexattr_settype(attributes, 2)  # PTHREAD_MUTEX_ERRORCHECK
    lib.Pthread_mutex_init(mutex, attributes)
    if locked:
        lib.Pthread_mutex_lock(mutex)
    return mutex


def huge_stack():
    attributes = create_string_buffer(128)
    libc.pthread_attr_init(attributes)
    libc.pthread_attr_setstacksize(attributes, ctypes.c_size_t(2**60))
    return attributes


def full_semaphore():
    semaphore = create_string_buffer(64)
    lib.Sem_init(semaphore, 0, 2**31 - 1)
    return semaphore


lib.Pthread_detach(lib.Pthread_self())
huge = 2**63 - 1
nobody = 2**30  # no process
readable = lib.Fopen(b"/dev/null", b"r")
directory = lib.Fopen(b"/", b"r")
a_function = ctypes.cast(lib.csapp_error_return, c_void_p)
past = (c_long * 2)(0, 2_000_000_000)  # more nanoseconds than a second has
os.close(1)

FAILURES = {
    "Execve": (b"/no/such", None, None), "Execvp": (b"/no/such", None),
    "Wait": (None,), "Waitpid": (-1, None, 0), "Kill": (nobody, 0), "Setpgid": (nobody, 0),
    "Signal": (1000, None), "Sigprocmask": (1000, room, None), "Sigemptyset": (None,), "Sigfillset": (None,),
    "Sigaddset": (room, 1000), "Sigdelset": (room, 1000), "Sigismember": (room, 1000), "Sigsuspend": (None,),
    "Sio_puts": (b"unheard",), "Sio_putl": (1,),
    "Open": (b"/no/such", os.O_RDONLY, 0), "Read": (-1, room, 1), "Write": (-1, room, 1), "Lseek": (-1, 0, 0),
    "Close": (-1,), "Select": (-1, None, None, None, None), "Dup2": (-1, 0), "Stat": (b"/no/such", room),
    "Fstat": (-1, room), "Opendir": (b"/no/such",), "Readdir": (broken_directory(),),
    "Closedir": (broken_directory(),), "Mmap": (None, 0, 0, 0, -1, 0), "Munmap": (1, 1),
    "Fclose": (broken_stream(),), "Fdopen": (-1, b"r"), "Fgets": (room, 10, directory),
    "Fopen": (b"/no/such", b"r"), "Fputs": (b"unheard", readable), "Fread": (room, 1, 1, directory),
    "Fwrite": (room, 1, 1, readable), "Malloc": (huge,), "Realloc": (None, huge), "Calloc": (huge, huge),
    "Socket": (-1, 0, 0), "Setsockopt": (-1, 0, 0, None, 0), "Bind": (-1, None, 0), "Listen": (-1, 0),
    "Accept": (-1, None, None), "Connect": (-1, None, 0),
    "Getaddrinfo": (b"127.0.0.1", b"no such service", None, byref(c_void_p())),
    "Getnameinfo": (room, 0, room, 100, None, 0, 0), "Inet_ntop": (-1, room, room, 100),
    "Inet_pton": (socket.AF_INET, b"no address", room), "Gethostbyname": (b"too long" * 100,),
    "Gethostbyaddr": (b"none", 4, -1),
    "Pthread_create": (room, huge_stack(), a_function, None), "Pthread_join": (lib.Pthread_self(), None),
    "Pthread_detach": (lib.Pthread_self(),),
    "Sem_init": (room, 0, 2**32 - 1), "V": (full_semaphore(),),
    "Pthread_mutex_lock": (strict_mutex(True),),
    "Pthread_mutex_unlock": (strict_mutex(False),), "Pthread_mutex_destroy": (strict_mutex(True),),
    "Pthread_cond_wait": (create_string_buffer(64), strict_mutex(False)),
    "Pthread_cond_timedwait": (create_string_buffer(64), strict_mutex(True), past), "Pipe": (None,),
    "Rio_readn": (-1, room, 1), "Rio_writen": (-1, room, 1), "Rio_readinitb": (None, 0),
    "Rio_readnb": (rio, room, 1), "Rio_readlineb": (rio, room, 0),
    "Open_clientfd": (b"127.0.0.1", b"65536"), "Open_clientfd_r": (b"127.0.0.1", b"65536"),
    "Open_listenfd": (b"65536",), "csapp_Open_clientfd_2e": (b"127.0.0.1", 65536),
    "csapp_Open_listenfd_2e": (65536,),
}

for name, arguments in FAILURES.items():
    try:
        result = getattr(lib, name)(*arguments)
    except OSError as error:
        # Which errno an interpreter sees is undefined; but there is one, or the resolver's reason.
        if not error.errno and not isinstance(error, (socket.gaierror, socket.herror)):
            sys.exit(f"{name}: an OSError without errno")
    else:
        sys.exit(f"{name}: returned {result!r}")
# What succeeds afterwards raises nothing, whatever errno is still there.
lib.Close(lib.Open(b"/", os.O_RDONLY, 0))
lib.unix_error(b"a report")
lib.Free(lib.Malloc(1))

with open(sys.argv[1], encoding="ascii") as symbols:
    checked = {name for name in symbols.read().split() if name[0].isupper() or name.startswith("csapp_O")}
forgotten = checked - set(FAILURES) - SPARED
if forgotten:
    sys.exit(f"not made to fail: {sorted(forgotten)}")
os.write(2, b"every failure was raised\n")
