"""What csapp-check costs: the same programs with and without it, in turns, and the ratio of the two.

usage: bench.py BUILD        (make bench-check; needs wrk)
"""

import os
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 5
SECONDS = 2
SITE = Path(__file__).resolve().parent.parent / "examples/site"

LINES = r"""
#include "csapp.h"
int main(int argc, char **argv)
{
    char line[MAXLINE];
    rio_t rio;
    int i;

    for (i = 0; i < 40; i++) {
        int fd = Open(argv[1], O_RDONLY, 0);

        Rio_readinitb(&rio, fd);
        while (Rio_readlineb(&rio, line, sizeof line) > 0)
            ;
        Close(fd);
    }
    return argc - 2;
}
"""

DESCRIPTORS = r"""
#include "csapp.h"
int main(int argc, char **argv)
{
    char line[MAXLINE];
    FILE *status;
    int i;

    for (i = 0; i < atoi(argv[1]); i++)
        Open("/dev/null", O_RDONLY, 0);
    status = Fopen("/proc/self/status", "r");
    while (Fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, "VmRSS:", 6) == 0)
            Fputs(line, stdout);
    fflush(stdout);
    _exit(argc - 2);
}
"""


def pinned(which):
    processors = sorted(os.sched_getaffinity(0))
    return lambda: os.sched_setaffinity(0, {processors[which]})


def compiled(build, name, source):
    path = build / f"bench-check-{name}.c"
    if isinstance(source, str):
        path.write_text(source)
        source = path
    program = path.with_suffix("")
    subprocess.run([os.environ.get("CC", "cc"), "-O2", "-g", f"-I{build}", source, "-o", program, f"-L{build}",
                    "-lcsapp", f"-Wl,-rpath,{build}", "-pthread"], check=True)
    return program


class Server:
    """A server on the first processor, and what it has used."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                        preexec_fn=pinned(0))
        self.port = int(re.search(r"port (\d+)", self.process.stdout.readline())[1])

    def stop(self):
        """The seconds of processor time, csapp-check's own included."""
        self.process.send_signal(signal.SIGTERM)
        _, _, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = 0
        return usage.ru_utime + usage.ru_stime


def load(port, script=None):
    command = ["wrk", "-t1", "-c16", f"-d{SECONDS}"] + (["-s", script] if script else [])
    output = subprocess.run([*command, f"http://127.0.0.1:{port}/style.css"], check=True, capture_output=True,
                            text=True, preexec_fn=pinned(-1)).stdout
    if "Non-2xx" in output:
        raise SystemExit(f"the server failed under load:\n{output}")
    return int(re.search(r"(\d+) requests in", output)[1])


def served(command, script=None):
    """Requests in a second, and microseconds of processor time for each."""
    server = Server(command)
    requests = load(server.port, script)
    return requests / SECONDS, 1e6 * server.stop() / requests


def in_turns(measure, command, checked):
    """The medians of what is measured, without and with csapp-check."""
    runs = [(measure(command), measure([checked, *command])) for _ in range(ROUNDS)]
    return [[statistics.median(values) for values in zip(*side)] for side in zip(*runs)]


def lines(command):
    start = time.monotonic()
    subprocess.run(command, check=True, preexec_fn=pinned(0))
    return [time.monotonic() - start]


def memory(command):
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [int(text.split()[1])]


def main(build):
    build = Path(build).resolve()
    checked = build / "csapp-check"
    if not shutil.which("wrk"):
        raise SystemExit("bench-check needs wrk (Debian: wrk)")
    examples = SITE.parent
    tinyweb = compiled(build, "tinyweb", examples / "tinyweb.c")
    proxy = compiled(build, "proxy", examples / "proxy.c")

    plain, watched = in_turns(served, [tinyweb, "0", SITE], checked)
    print(f"tinyweb: {plain[0]:.0f} and {watched[0]:.0f} requests a second: {plain[0] / watched[0]:.2f} times as slow; "
          f"{plain[1]:.1f} and {watched[1]:.1f} us of processor time each: {watched[1] / plain[1]:.2f}")

    origin = Server([tinyweb, "0", SITE])
    script = build / "bench-check-proxy.lua"
    script.write_text(f'request = function() return wrk.format("GET", "http://127.0.0.1:{origin.port}/style.css") end\n')
    plain, watched = in_turns(lambda command: served(command, script), [proxy, "0"], checked)
    origin.stop()
    print(f"proxy: {plain[0]:.0f} and {watched[0]:.0f} requests a second: {plain[0] / watched[0]:.2f} times as slow; "
          f"{plain[1]:.1f} and {watched[1]:.1f} us of processor time each: {watched[1] / plain[1]:.2f}")

    text = build / "bench-check-lines.txt"
    text.write_text("".join(f"{'x' * (i % 80)}\n" for i in range(250_000)))
    program = compiled(build, "lines", LINES)
    [start], [watched_start] = in_turns(lines, [program, "/dev/null"], checked)
    [plain], [watched] = in_turns(lines, [program, text], checked)
    print(f"lines: {plain:.2f} and {watched:.2f} s: {watched / plain:.2f} times as slow; "
          f"{1e3 * (watched_start - start):.0f} ms of it are its start and end")

    program = compiled(build, "descriptors", DESCRIPTORS)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20_000), hard))
    kilobytes = {count: in_turns(memory, [program, str(count)], checked) for count in (0, 10_000)}
    ([few], [watched_few]), ([many], [watched_many]) = kilobytes[0], kilobytes[10_000]
    print(f"memory: {few} and {watched_few} KB without descriptors; {many} and {watched_many} KB with 10000, "
          f"{(watched_many - watched_few - (many - few)) * 1024 / 10_000:.0f} bytes for each")


if __name__ == "__main__":
    main(sys.argv[1])
