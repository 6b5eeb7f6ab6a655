"""Runs CPython's own tests of io.BufferedReader against csapp.Rio.

usage: python3 python/tests/stdlib_io.py (with the tests of this Python installed: Debian has them in libpython3.X-testsuite)

Those tests read from objects in Python, and a Rio reads from a descriptor. So each object's bytes go through a pipe first.
What that leaves out is listed in LEFT_OUT, with the reason.
"""

import os
import signal
import sys
import tempfile
import unittest
import warnings

import csapp

try:
    from test import test_io
    if not hasattr(test_io, "CBufferedReaderTest"):  # Python 3.14 has a package of them
        from test.test_io import test_bufferedio as test_io
except ImportError:
    sys.exit("SKIPPED: this Python has no test.test_io (Debian: libpython3.X-testsuite)")

SEEKS = "a Rio does not seek, as a socket does not"
RAW = "looks at the calls of a raw object, and a Rio has a descriptor"
BUFFER = "gives the size of the buffer, which is no parameter of a Rio"
OTHER = "of io.BufferedReader's own making: pickling, sizes, references, detach()"
LEFT_OUT = {
    "test_args_error": OTHER, "test_bad_readinto_type": RAW, "test_bad_readinto_value": RAW, "test_buffer_freeing": BUFFER,
    "test_buffering": RAW, "test_close_error_on_close": RAW, "test_constructor": RAW, "test_detach": OTHER,
    "test_error_through_destructor": RAW, "test_recursive_repr": OTHER,
    "test_fileno": RAW, "test_flush_error_on_close": RAW, "test_initialization": RAW, "test_misbehaved_io_read": RAW,
    "test_no_extraneous_read": RAW, "test_nonnormalized_close_error_on_close": RAW, "test_pickling_subclass": OTHER,
    "test_read1": RAW, "test_read1_arbitrary": RAW, "test_read_non_blocking": RAW, "test_readinto1": RAW,
    "test_readonly_attributes": RAW, "test_repr": OTHER, "test_seek_character_device_file": SEEKS,
    "test_tell_character_device_file": SEEKS, "test_sizeof": OTHER,
    "test_threads": "a Rio belongs to one thread at a time",
}


class ThroughAPipe(csapp.Rio):
    """A Rio of the bytes of a raw object in Python."""

    def __init__(self, raw, buffer_size=8192):
        read_end, write_end = os.pipe()
        with os.fdopen(write_end, "wb") as file:
            for _ in range(1000):
                piece = raw.read(10_000)
                if not piece:
                    break
                file.write(piece)
        super().__init__(read_end)


test_io.load_tests(unittest.defaultTestLoader, unittest.TestSuite(), None)  # gives the classes their mocks


class RioTest(test_io.CBufferedReaderTest):
    tp = ThroughAPipe


def give_up(*_):
    raise TimeoutError("it waits for what a pipe does not give")


def main():
    warnings.simplefilter("ignore")
    os.chdir(tempfile.mkdtemp())  # where they leave their files
    signal.signal(signal.SIGALRM, give_up)
    passed, failed = [], []
    for name in unittest.defaultTestLoader.getTestCaseNames(RioTest):
        if name in LEFT_OUT:
            print(f"left out: {name}: {LEFT_OUT[name]}")
            continue
        result = unittest.TestResult()
        signal.alarm(5)
        RioTest(name).run(result)
        signal.alarm(0)
        why = [text.splitlines()[-1] for _, text in result.errors + result.failures]
        failed += [f"{name}: {why[0]}"] if why else []
        passed += [] if why else [name]
    print(f"{len(passed)} passed: {' '.join(passed)}")
    sys.exit("\n".join(["failed:", *failed]) if failed else 0)


main()
