"""Tests of the module: python3 -m unittest discover -s python/tests"""

import array
import ctypes
import errno
import gc
import io
import os
import pty
import random
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest
import warnings
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
            rio = csapp.Rio(file.fileno(), closefd=False)
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

    def test_the_timeout_of_a_socket_counts(self):
        ours, theirs = pair()
        ours.settimeout(0.05)
        theirs.sendall(b"begun, ")
        with csapp.Rio(ours) as rio, theirs:
            for call in rio.readline, lambda: rio.read(10), lambda: next(iter(rio)), rio.readlines:
                with self.assertRaises(TimeoutError):
                    call()
            with self.assertRaises(TimeoutError):
                csapp.writen(ours, bytes(10_000_000))
            theirs.sendall(b"done\n")
            self.assertEqual(rio.readline(), b"begun, done\n")

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

    def test_is_an_io_object(self):
        ours, theirs = pair()
        with csapp.Rio(ours) as rio:
            self.assertIsInstance(rio, io.BufferedIOBase)
            self.assertTrue(rio.readable() and rio.writable() and not rio.seekable() and not rio.isatty())
            for unsupported in rio.tell, rio.detach, lambda: rio.seek(0), lambda: rio.truncate(0):
                with self.assertRaises(io.UnsupportedOperation):
                    unsupported()
            rio.flush()
            theirs.sendall(b"one\ntwo\nthree and more")
            self.assertEqual(rio.peek(), b"one\ntwo\nthree and more")
            self.assertEqual(repr(rio), f"<csapp.Rio of {ours!r}, 22 bytes read ahead>")
            self.assertEqual(rio.read1(2), b"on")
            self.assertEqual(rio.peek(1), b"e\ntwo\nthree and more")
            self.assertEqual(next(rio), b"e\n")
            room = array.array("i", [0])
            self.assertEqual(rio.readinto(room), 4)
            self.assertEqual(room.tobytes(), b"two\n")
            self.assertEqual(rio.readinto1(bytearray(100)), 14)
            theirs.sendall(b"4\n5\n6\n")
            theirs.close()
            self.assertEqual(rio.readlines(3), [b"4\n", b"5\n"])
            self.assertEqual(rio.readlines(), [b"6\n"])
            self.assertEqual([rio.peek(), rio.read1(), rio.read(), rio.readline(), rio.readlines()],
                             [b"", b"", b"", b"", []])
        self.assertEqual(repr(rio), "<csapp.Rio, closed>")
        for call in rio.readline, rio.read, rio.read1, rio.peek, rio.readlines, rio.fileno, lambda: next(iter(rio)):
            with self.assertRaises(ValueError):
                call()

    def test_under_a_text_wrapper_and_a_selector(self):
        read_end, write_end = os.pipe()
        with csapp.Rio(read_end) as rio, selectors.DefaultSelector() as selector:
            selector.register(rio, selectors.EVENT_READ)
            self.assertEqual(selector.select(0), [])
            os.write(write_end, "gr\u00fc\u00df\r\ndich".encode())
            self.assertEqual(len(selector.select(10)), 1)
            os.close(write_end)
            selector.unregister(rio)
            self.assertEqual(list(io.TextIOWrapper(rio, encoding="utf-8")), ["gr\u00fc\u00df\n", "dich"])

    def test_reading_while_iterating(self):
        read_end, write_end = os.pipe()
        os.write(write_end, b"POST\nLength: 4\n\nbodyGET\n\nrest")
        os.close(write_end)
        with csapp.Rio(read_end) as rio:
            seen = []
            for line in rio:
                seen.append(line)
                if line == b"\n":
                    seen.append(rio.read(4))
            self.assertEqual(seen, [b"POST\n", b"Length: 4\n", b"\n", b"body", b"GET\n", b"\n", b"rest"])

    def test_any_mixture_of_calls_gives_every_byte_once(self):
        for seed in range(200):
            chance = random.Random(seed)
            data = bytes(chance.choice(b"abcdef\n") for _ in range(chance.randrange(3000)))
            ours, theirs = pair()
            ours.setblocking(False)
            sent, got = 0, b""
            with csapp.Rio(ours) as rio, theirs:
                while len(got) < len(data):
                    if chance.random() < 0.5:
                        more = data[sent:sent + chance.randrange(200)]
                        if more:
                            theirs.sendall(more)
                        sent += len(more)
                    size = chance.choice([-1, 0, 1, 7, 100])
                    call = chance.choice([rio.readline, rio.read, rio.read1, rio.peek, rio.readlines, "iterate"])
                    try:
                        if call == "iterate":
                            got += next(iter(rio), b"")
                        elif call == rio.peek:
                            self.assertTrue(data[len(got):].startswith(rio.peek()))
                        elif call == rio.readlines:
                            got += b"".join(rio.readlines(size))
                        else:
                            piece = call(size)
                            if call == rio.readline:
                                self.assertNotIn(b"\n", piece[:-1])
                            got += piece
                    except BlockingIOError:
                        if sent == len(data):
                            theirs.shutdown(socket.SHUT_WR)
                    self.assertEqual(got, data[:len(got)], seed)

    def test_a_timeout_of_one_call(self):
        read_end, write_end = os.pipe()
        with csapp.Rio(read_end) as rio, csapp.Rio(os.dup(read_end), timeout=0.01) as limited:
            for call in rio.readline, rio.read, rio.read1, rio.peek, rio.readlines:
                with self.assertRaises(TimeoutError):
                    call(timeout=0.01)
                with self.assertRaises(BlockingIOError):
                    call(timeout=0)
                for wrong in -1, float("nan"), "1":
                    with self.assertRaises((ValueError, TypeError)):
                        call(timeout=wrong)
            with self.assertRaises(TimeoutError):
                rio.readinto(bytearray(1), timeout=0.01)
            with self.assertRaises(TimeoutError):
                limited.readline()
            os.write(write_end, b"ab")
            with self.assertRaises(TimeoutError) as caught:
                csapp.readn(read_end, 5, timeout=0.01)
            self.assertEqual(caught.exception.partial, b"ab")
            os.write(write_end, b"cd\n")
            self.assertEqual(rio.readline(timeout=float("inf")), b"cd\n")
        reader, writer = os.pipe()
        with self.assertRaises(TimeoutError) as caught:
            csapp.writen(writer, bytes(1_000_000), timeout=0.01)
        self.assertEqual(caught.exception.characters_written, len(os.read(reader, 1_000_000)))
        for fd in write_end, reader, writer:
            os.close(fd)

    def test_a_handler_runs_while_a_call_waits(self):
        """A handler that raises ends the call at once, and one that does not lets it go on (PEP 475)."""
        class Stop(Exception):
            pass

        def stop(*_):
            raise Stop

        before = signal.getsignal(signal.SIGALRM)
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        silent, other_end = os.pipe()
        read_end, write_end = os.pipe()
        with csapp.Rio(read_end) as rio:
            os.write(write_end, b"begun, ")
            for call in (rio.readline, lambda: rio.read(20), lambda: rio.readlines(), lambda: next(iter(rio)),
                         lambda: csapp.readn(silent, 5)):
                signal.signal(signal.SIGALRM, stop)
                # Again and again: one signal may come before the call waits, as it may with every call of Python's.
                signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
                with self.assertRaises(Stop):
                    call()
                signal.setitimer(signal.ITIMER_REAL, 0)
            calls = []
            signal.signal(signal.SIGALRM, lambda *_: calls or calls.append(os.write(write_end, b"done\n")))
            signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
            self.assertEqual(rio.readline(), b"begun, done\n")
            signal.setitimer(signal.ITIMER_REAL, 0)
            # The limit is for the whole call, however many signals come.
            signal.signal(signal.SIGALRM, lambda *_: None)
            signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
            with self.assertRaises(TimeoutError):
                rio.readline(timeout=0.1)
            signal.setitimer(signal.ITIMER_REAL, 0)
        for fd in silent, other_end, write_end:
            os.close(fd)

    def test_a_terminal_goes_on_behind_its_end(self):
        master, slave = pty.openpty()
        with csapp.Rio(slave) as rio:
            os.write(master, b"abc\x04\x04def\n")
            self.assertEqual(rio.readline(), b"abc")
            self.assertEqual(rio.readline(), b"def\n")
            os.write(master, b"\x04")
            self.assertEqual(rio.readline(), b"")
        master_rio = csapp.Rio(master)
        self.assertTrue(master_rio.read().endswith(b"def\r\n"), "EIO is the end of a terminal whose other side is closed")
        master_rio.close()

    def test_what_is_forgotten_open_is_told(self):
        for make in (lambda: csapp.Rio(os.open("/dev/null", os.O_RDONLY)), lambda: csapp.Rio(pair()[0])):
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                make()
                gc.collect()
            said = [str(warning.message) for warning in told if warning.category is ResourceWarning]
            self.assertTrue(any(line.startswith("unclosed <csapp.Rio of ") for line in said), said)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            csapp.Rio(0, closefd=False)
            with self.assertRaises(AttributeError):
                csapp.Rio("no descriptor")
        self.assertEqual(told, [])
        os.fstat(0)

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
                csapp.Rio(fd, closefd=False).readline()
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

    def test_nothing_is_written_to_standard_error(self):
        """What an exception says is not said twice."""
        calls = [lambda: csapp.open_clientfd("a..b", 80), lambda: csapp.connect("a..b", 80, 9), lambda: csapp.listen("a..b", 0),
                 lambda: csapp.connect("x" * 64 + ".de", 80, 9), lambda: csapp.open_clientfd("\u00e9..x", 80),
                 lambda: csapp.connect("127.0.0.1", 65536, 9), lambda: csapp.listen(None, "no such service"),
                 lambda: csapp.open_listenfd(65536), lambda: csapp.connect("*", 80, 9),
                 lambda: csapp.CDLL.Getaddrinfo(b"a..b", b"80", None, ctypes.byref(ctypes.c_void_p()))]
        before = os.dup(2)
        with tempfile.TemporaryFile() as said:
            os.dup2(said.fileno(), 2)
            try:
                for call in calls:
                    with self.assertRaises(socket.gaierror):
                        call()
                with self.assertRaises(socket.herror):
                    csapp.CDLL.Gethostbyname(b"a..b")
                with self.assertRaises(FileNotFoundError) as caught:
                    csapp.CDLL.Open(b"/no/such", os.O_RDONLY, 0)
                csapp.CDLL.posix_error(errno.ENOENT, b"a report")
            finally:
                os.dup2(before, 2)
                os.close(before)
            self.assertEqual(caught.exception.filename, "/no/such")
            said.seek(0)
            self.assertEqual(said.read().decode(), f"a report: {os.strerror(errno.ENOENT)}\n")

    def test_accept_in_time(self):
        with socket.socket(fileno=csapp.listen("127.0.0.1", 0)) as server:
            with self.assertRaises(TimeoutError):
                csapp.accept(server, 0.01)
            with self.assertRaises(BlockingIOError):
                csapp.accept(server, 0)
            with socket.create_connection(server.getsockname()), socket.socket(fileno=csapp.accept(server)) as here:
                self.assertFalse(here.get_inheritable())

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
        reader = threading.Thread(target=lambda: lines.append(csapp.Rio(ours, closefd=False).readline()))
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

    def test_subinterpreters(self):
        """A failure in one is raised there."""
        code = ("try:\n    import csapp\nexcept ImportError:\n    pass\nelse:\n"
                "    try:\n        csapp.CDLL.Close(-1)\n    except OSError:\n        pass\n    else:\n        raise SystemError")
        program = ("try:\n    import _interpreters as interpreters\nexcept ImportError:\n"
                   "    import _xxsubinterpreters as interpreters\n"
                   f"import csapp\nfor _ in range(2):\n    one = interpreters.create()\n"
                   f"    assert not interpreters.run_string(one, {code!r})\n    interpreters.destroy(one)\n")
        result = subprocess.run([sys.executable, "-c", program], stderr=subprocess.PIPE)
        self.assertEqual(result.returncode, 0, result.stderr.decode())

    def test_version(self):
        self.assertRegex(csapp.version(), r"^\d+\.\d+\.\d+$")


if __name__ == "__main__":
    unittest.main()
