"""A web server under load: examples/tinyweb.c three times, with the shared library, with the
static one, and with the book's algorithm in its place, asked by wrk as a browser would ask.
"""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

SERVERS = {"libcsapp.so": "tinyweb-shared", "libcsapp.a": "tinyweb-static", "book": "tinyweb-book"}
CONNECTIONS = 16

# With the request line, Host and the empty line, 14 lines.
HEADERS = [
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br",
    "Referer: http://www.example.org/courses/",
    "DNT: 1",
    "Connection: keep-alive",
    "Cookie: session=9f86d081884c7d659a2feaa0c55ad015",
    "Upgrade-Insecure-Requests: 1",
    "Cache-Control: max-age=0",
    "Sec-Fetch-Dest: document",
]


def pinned(which):
    """What keeps a process on one processor: the server on the first, wrk on the last."""
    processors = sorted(os.sched_getaffinity(0))
    return lambda: os.sched_setaffinity(0, {processors[which]})


class Server:
    def __init__(self, program, site):
        self.process = subprocess.Popen([program, "0", site], stdout=subprocess.PIPE, text=True,
                                        preexec_fn=pinned(0))
        self.port = int(re.search(r"port (\d+)", self.process.stdout.readline())[1])
        # The clock of another process's processor time, as clock_getcpuclockid(3) makes it.
        self.clock = (~self.process.pid << 3) | 2

    def load(self, seconds):
        """Nanoseconds per request: on the wall, and of processor time, the system's included."""
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}"]
        for header in HEADERS:
            command += ["-H", header]
        before = time.clock_gettime_ns(self.clock)
        output = subprocess.run([*command, f"http://127.0.0.1:{self.port}/style.css"], check=True,
                                capture_output=True, text=True, preexec_fn=pinned(-1)).stdout
        used = time.clock_gettime_ns(self.clock) - before
        if "Non-2xx" in output or "Socket errors" in output:
            raise SystemExit(f"the web server failed under load:\n{output}")
        requests = int(re.search(r"(\d+) requests in", output)[1])
        rate = float(re.search(r"Requests/sec:\s*([\d.]+)", output)[1])
        return round(1e9 / rate), round(used / requests)

    def stop(self):
        self.process.kill()
        self.process.wait()


def run(directory, rounds, seconds=1):
    """{(suite, workload): {server: (best, median, units)}}; nothing where wrk is not installed."""
    if shutil.which("wrk") is None:
        return {}
    servers = {name: Server(directory / program, Path("examples/site"))
               for name, program in SERVERS.items()}
    measured = {name: [] for name in servers}
    try:
        for turn in range(rounds):
            names = list(servers)
            for name in names[turn % len(names):] + names[:turn % len(names)]:
                measured[name].append(servers[name].load(seconds))
    finally:
        for server in servers.values():
            server.stop()
    results = {}
    for i, what in enumerate(["time per request", "processor time per request"]):
        for name, times in measured.items():
            ordered = sorted(one[i] for one in times)
            results.setdefault(("web server", what), {})[name] = (ordered[0], ordered[rounds // 2], 1)
    return results
