"""Tests of the module: python3 -m unittest discover -s python/tests"""

import array
import ctypes
import errno
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

import csapp


def symbols():
    """The list of the functions that the library exports."""
    return Path(__file__).resolve().parents[2] / f"abi/{csapp.version()}.symbols"


def pair():
    """Two connected sockets."""
    return socket.socketpair()


class Reading(unittest.TestCase):
    def test_iterates_over_lines(self):
        ours, theirs = pair()
        with theirs:
            theirs.sendall(b"one\ntwo\n\nlast")
        with csapp.Rio(ours) as rio:
            self.assertEqual(list(rio), [b"one\n", b"two\n", b"\n", b"last"])

    def test_a_line_of_any_length_is_one_line(self):
        line = bytes(range(1, 10)) * 10_000 + b"\0end\n"
        with tempfile.TemporaryFile() as file:
            file.write(line.replace(b"\n", b" ")[:-1] + b"\n" + b"next\n")
            file.flush()
            file.seek(0)
            rio = csapp.Rio(file)
            self.assertEqual(rio.readline(), line.replace(b"\n", b" ")[:-1] + b"\n")
            self.assertEqual(rio.readline(2), b"ne")
            self.assertEqual(rio.readline(0), b"")
            self.assertEqual(rio.readline(100), b"xt\n")
            self.assertEqual(rio.readline(), b"")

    def test_lines_and_blocks_mix(self):
        with tempfile.TemporaryFile() as file:
            file.write(b"head\n" + b"x" * 20_000 + b"tail\n")
            file.flush()
            file.seek(0)
            rio = csapp.Rio(file.fileno())
            self.assertEqual(rio.readline(), b"head\n")
            self.assertEqual(rio.read(20_000), b"x" * 20_000)
            self.assertEqual(rio.read(0), b"")
            self.assertEqual(rio.read(), b"tail\n")

    def test_a_failed_call_consumes_nothing(self):
        ours, theirs = pair()
        ours.setblocking(False)
        rio = csapp.Rio(ours)
        long = b"y" * 10_000
        theirs.sendall(long)
        with self.assertRaises(BlockingIOError):
            rio.readline()
        with self.assertRaises(BlockingIOError):
            rio.read(10_001)
        theirs.sendall(b"\nz\n")
        self.assertEqual(rio.readline(), long + b"\n")
        self.assertEqual(rio.readline(), b"z\n")
        theirs.close()
        rio.close()

    def test_a_timeout_of_the_kernel_leaves_the_line(self):
        ours, theirs = pair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 50_000))
        theirs.sendall(b"begun, ")
        with csapp.Rio(ours) as rio, theirs:
            with self.assertRaises(BlockingIOError):
                rio.readline()
            theirs.sendall(b"done\n")
            self.assertEqual(rio.readline(), b"begun, done\n")

    def test_a_timeout_of_python_makes_a_descriptor_non_blocking(self):
        ours, theirs = pair()
        ours.settimeout(3600)
        with csapp.Rio(ours) as rio, theirs:
            with self.assertRaises(BlockingIOError):
                rio.readline()

    def test_closes_what_it_was_made_of(self):
        ours, theirs = pair()
        rio = csapp.Rio(ours)
        rio.close()
        rio.close()
        self.assertTrue(rio.closed)
        self.assertEqual(ours.fileno(), -1)
        with self.assertRaises(ValueError):
            rio.readline()
        theirs.close()
        read_end, write_end = os.pipe()
        with csapp.Rio(read_end):
            os.close(write_end)
        with self.assertRaises(OSError):
            os.fstat(read_end)

    def test_unbuffered(self):
        read_end, write_end = os.pipe()
        self.assertEqual(csapp.writen(write_end, bytearray(b"a\0b")), 3)
        os.close(write_end)
        with os.fdopen(read_end, "rb") as file:
            self.assertEqual(csapp.readn(file, 10), b"a\0b")
            self.assertEqual(csapp.readn(file, 10), b"")
            with self.assertRaises(ValueError):
                csapp.readn(file, -1)

    def test_only_bytes_are_written(self):
        read_end, write_end = os.pipe()
        with os.fdopen(read_end, "rb") as file:
            for data in 5, "text", [1, 2], None:
                with self.assertRaises(TypeError):
                    csapp.writen(write_end, data)
            numbers = array.array("i", [1, 2, 3])
            self.assertEqual(csapp.writen(write_end, memoryview(numbers)[::2]), 2 * numbers.itemsize)
            os.close(write_end)
            self.assertEqual(file.read(), array.array("i", [1, 3]).tobytes())

    def test_a_descriptor_that_is_no_c_int(self):
        for descriptor in (2**32, -(2**32), 2**31):
            with self.assertRaises(OverflowError):
                csapp.writen(descriptor, b"")
            with self.assertRaises(OverflowError):
                csapp.readn(descriptor, 0)
            with self.assertRaises(OverflowError):
                csapp.Rio(descriptor)

    def test_errors_are_the_right_exceptions(self):
        with self.assertRaises(OSError) as caught:
            csapp.readn(-1, 1)
        self.assertEqual(caught.exception.errno, errno.EBADF)
        with self.assertRaises(IsADirectoryError):
            fd = os.open("/", os.O_RDONLY)
            try:
                csapp.Rio(fd).readline()
            finally:
                os.close(fd)
        ours, theirs = pair()
        theirs.close()
        with ours, self.assertRaises(BrokenPipeError):
            csapp.writen(ours, b"x")


class Sockets(unittest.TestCase):
    def serve_one(self, listenfd):
        """Echoes one client's lines, in a thread; returns the port."""
        server = socket.socket(fileno=listenfd)

        def echo():
            connection, _ = server.accept()
            with csapp.Rio(connection) as rio:
                for line in rio:
                    rio.write(line)
            server.close()

        thread = threading.Thread(target=echo)
        thread.start()
        self.addCleanup(thread.join)
        return server.getsockname()[1]

    def test_client_and_server(self):
        for listenfd, connect in (
            (csapp.open_listenfd(0), csapp.open_clientfd),
            (csapp.listen("127.0.0.1", "0"), lambda host, port: csapp.connect(host, str(port), 10)),
        ):
            port = self.serve_one(listenfd)
            with csapp.Rio(connect("127.0.0.1", port)) as rio:
                rio.write(b"hello\nworld")
                self.assertEqual(rio.readline(), b"hello\n")
                with socket.socket(fileno=os.dup(rio.fileno())) as same:
                    same.shutdown(socket.SHUT_WR)
                self.assertEqual(rio.read(), b"world")

    def test_descriptors_are_close_on_exec(self):
        fd = csapp.open_listenfd(0)
        self.assertFalse(os.get_inheritable(fd))
        os.close(fd)

    def test_nobody_listens(self):
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            with self.assertRaises(ConnectionRefusedError):
                csapp.open_clientfd("127.0.0.1", bound.getsockname()[1])

    def test_time_without_end(self):
        with self.assertRaises(ConnectionRefusedError):
            csapp.connect("127.0.0.1", 1, float("inf"))

    def test_the_resolver_has_its_own_exception(self):
        for port in ("65536", "", "no such service"):
            with self.assertRaises(socket.gaierror):
                csapp.open_clientfd("127.0.0.1", port)
            with self.assertRaises(socket.gaierror):
                csapp.open_listenfd(port)
        with self.assertRaises(ValueError):
            csapp.open_clientfd("a\0b", 80)

    def test_an_unknown_flag(self):
        with self.assertRaises(OSError) as caught:
            csapp.listen(None, 0, flags=64)
        self.assertEqual(caught.exception.errno, errno.EINVAL)


class Interpreter(unittest.TestCase):
    def test_no_checked_function_ends_it(self):
        result = subprocess.run(
            [sys.executable, Path(__file__).with_name("every_failure.py"), symbols()],
            stderr=subprocess.PIPE, env=dict(os.environ, CSAPP_ON_ERROR="exit"))
        said = result.stderr.decode()
        self.assertEqual(result.returncode, 0, said)
        self.assertTrue(said.endswith("every failure was raised\n"), said)

    def test_other_threads_run_while_a_call_waits(self):
        ours, theirs = pair()
        lines = []
        reader = threading.Thread(target=lambda: lines.append(csapp.Rio(ours).readline()))
        reader.start()
        theirs.sendall(b"from another thread\n")
        reader.join(30)
        self.assertEqual(lines, [b"from another thread\n"])
        ours.close()
        theirs.close()

    def test_every_function_of_the_library_has_its_types(self):
        exported = symbols().read_text().split()
        without = [name for name in exported if getattr(csapp.CDLL, name).argtypes is None]
        self.assertEqual(without, ["sio_vdprintf"])

    def test_a_failure_belongs_to_its_thread(self):
        ours, theirs = pair()
        seen = []

        def read():
            try:
                csapp.CDLL.Rio_readn(ours.fileno(), ctypes.create_string_buffer(1), 1)
                seen.append("read")
            except OSError as error:
                seen.append(error)

        reader = threading.Thread(target=read)
        reader.start()
        with self.assertRaises(FileNotFoundError):
            csapp.CDLL.Stat(b"/no such file", ctypes.create_string_buffer(1024))
        theirs.sendall(b"x")
        reader.join(30)
        self.assertEqual(seen, ["read"])
        ours.close()
        theirs.close()

    def test_version(self):
        self.assertRegex(csapp.version(), r"^\d+\.\d+\.\d+$")


if __name__ == "__main__":
    unittest.main()
