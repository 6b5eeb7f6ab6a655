"""How many lines a second csapp.Rio gives Python, beside io.BufferedReader and socket.makefile on the same bytes.

usage: PYTHONPATH=python CSAPP_LIBRARY=build/libcsapp.so.1 python3 benches/python_rates.py

Lines of 50 bytes, 20 MB; the readers take turns, and the best of 7 rounds counts.
"""

import io
import os
import socket
import subprocess
import tempfile
import time

import csapp

LINES, LINE, ROUNDS = 400_000, b"x" * 49 + b"\n", 7

store = tempfile.NamedTemporaryFile()
store.write(LINE * LINES)
store.flush()


def from_file():
    return os.open(store.name, os.O_RDONLY)


def from_pipe():
    here, there = os.pipe()
    subprocess.Popen(["cat", store.name], stdout=there)
    os.close(there)
    return here


def from_socket():
    here, there = socket.socketpair()
    subprocess.Popen(["cat", store.name], stdout=there.fileno())
    there.close()
    return here.detach()


def iterate(reader):
    return sum(1 for _ in reader)


def call_readline(reader):
    count, readline = 0, reader.readline
    while readline():
        count += 1
    return count


READERS = {
    "Rio": lambda fd: csapp.Rio(fd, closefd=False),
    "BufferedReader": lambda fd: io.BufferedReader(io.FileIO(fd, closefd=False), 8192),
    "makefile": lambda fd: socket.socket(fileno=os.dup(fd)).makefile("rb"),
}

print("million lines a second".ljust(30), *(name.rjust(15) for name in READERS), "of BufferedReader".rjust(18))
for source in from_file, from_pipe, from_socket:
    readers = {name: make for name, make in READERS.items() if name != "makefile" or source is from_socket}
    for way in iterate, call_readline:
        best = dict.fromkeys(readers, 0.0)
        for _ in range(ROUNDS):
            for name, make in readers.items():
                fd = source()
                start = time.perf_counter()
                assert way(make(fd)) == LINES
                best[name] = max(best[name], LINES / (time.perf_counter() - start) / 1e6)
                os.close(fd)
        rates = [f"{best[name]:15.1f}" if name in best else "-".rjust(15) for name in READERS]
        print(f"{source.__name__}, {way.__name__}".ljust(30), *rates, f"{best['Rio'] / best['BufferedReader']:18.2f}")
