"""Runs CPython's own tests of io.BufferedReader against csapp.Rio.

usage: python3 python/tests/stdlib_io.py (with the tests of this Python installed: Debian has them in libpython3-testsuite)

Those tests read from objects in Python, and a Rio reads from a descriptor. So each object's bytes go through a pipe first.
What that leaves out is listed in LEFT_OUT, with the reason. Fails if a test that is not listed fails, or a listed one passes.
"""

import os
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
    sys.exit("SKIPPED: this Python has no test.test_io")

SEEKS = "a Rio does not seek, as a socket does not"
RAW = "looks at the calls of a raw object, and a Rio has a descriptor"
BUFFER = "gives the size of the buffer, which is no parameter of a Rio"
OTHER = "of io.BufferedReader's own making: pickling, sizes, references, detach()"
LEFT_OUT = {
    "test_args_error": OTHER, "test_bad_readinto_type": RAW, "test_bad_readinto_value": RAW, "test_constructor": RAW,
    "test_constructor_max_buffer_size": BUFFER, "test_context_manager": OTHER, "test_detach": OTHER,
    "test_detach_flush": OTHER, "test_error_through_destructor": RAW,
    "test_fileno": RAW, "test_garbage_collection": OTHER, "test_init": BUFFER, "test_initialization": RAW,
    "test_interleaved_read_write": SEEKS, "test_invalid_args": SEEKS, "test_misbehaved_io": RAW,
    "test_misbehaved_io_read": RAW, "test_no_extraneous_read": RAW, "test_nonblock": RAW, "test_override_destructor": RAW,
    "test_pickling_subclass": OTHER, "test_read_all": RAW, "test_read_error_on_close": RAW,
    "test_read_on_closed": OTHER, "test_read_past_eof": RAW, "test_readline": RAW, "test_readonly_attributes": RAW,
    "test_recursive_repr": RAW, "test_repr": RAW, "test_seek_character_device": SEEKS, "test_sizeof": OTHER,
    "test_threads": "a Rio belongs to one thread at a time", "test_truncate_on_read_only": SEEKS, "test_uninitialized": OTHER,
    "test_unseekable": SEEKS, "test_buffering": RAW, "test_bad_readinto": RAW,
}


class ThroughAPipe(csapp.Rio):
    """A Rio of the bytes of a raw object in Python."""

    def __init__(self, raw, buffer_size=8192):
        read_end, write_end = os.pipe()
        with os.fdopen(write_end, "wb") as file:
            while True:
                piece = raw.read(100_000)
                if not piece:
                    break
                file.write(piece)
        super().__init__(read_end)


test_io.load_tests(unittest.defaultTestLoader, unittest.TestSuite(), None)  # gives the classes their mocks


class RioTest(test_io.CBufferedReaderTest):
    tp = ThroughAPipe


def main():
    warnings.simplefilter("ignore")
    names = unittest.defaultTestLoader.getTestCaseNames(RioTest)
    said = {}
    for name in names:
        result = unittest.TestResult()
        RioTest(name).run(result)
        why = [text.splitlines()[-1] for _, text in result.errors + result.failures]
        said[name] = why[0] if why else "skipped" if result.skipped else ""
    wrong = [f"{name}: {why}" for name, why in said.items() if why and name not in LEFT_OUT]
    passed = [name for name, why in said.items() if not why and name not in LEFT_OUT]
    print(f"{len(passed)} passed: {' '.join(passed)}")
    for name in sorted(set(said) & set(LEFT_OUT)):
        print(f"left out: {name}: {LEFT_OUT[name]} [{said[name]}]")
    sys.exit("\n".join(["failed:", *wrong]) if wrong else 0)


main()
