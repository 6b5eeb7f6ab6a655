"""A client of the servers in the manual pages and guides, on port 8080.

usage: client.py HOST read|echo|rude...

read prints the line that the server sends by itself, echo sends one and prints what comes back, rude
resets its connection in the middle of a line.
"""

import socket
import struct
import sys
import time


def connect(host):
    """Waits until the server listens."""
    for _ in range(600):
        try:
            return socket.create_connection((host, 8080), timeout=60)
        except ConnectionRefusedError:
            time.sleep(0.05)
    sys.exit("nobody listens")


def main(host, *manners):
    for manner in manners:
        with connect(host) as server:
            if manner == "rude":
                server.sendall(b"half a li")
                server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                continue
            if manner == "echo":
                server.sendall(b"hello\n")
                server.shutdown(socket.SHUT_WR)
            print(server.makefile().readline(), end="")


if __name__ == "__main__":
    main(*sys.argv[1:])
