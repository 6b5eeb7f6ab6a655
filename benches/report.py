"""Runs the benchmarks that `make bench` has built, prints one table of targets, and writes
docs/bench.csv (all numbers) and the charts of them (chart.py).

usage: report.py DIR    DIR: where the programs are
"""

import csv
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import chart
import web
from chart import LENGTHS, OURS, REAL, STDIO

PROGRAMS = ["lines", "bulk", "unbuffered", "connections", "load"]
GROWTH = ["100", "200", "500", "1000", "2000", "4000", "4095", "4096", "4097", "8000", "8191"]


def run(directory):
    """All results: {(suite, workload): {contestant: (best, median, units)}}, in order."""
    results = {}
    for program in PROGRAMS:
        print(f"{program} ...", file=sys.stderr)
        output = subprocess.run([directory / program], check=True, stdout=subprocess.PIPE, text=True)
        for suite, workload, name, *numbers in csv.reader(output.stdout.splitlines()):
            results.setdefault((suite, workload), {})[name] = tuple(map(int, numbers))
    print("web server ...", file=sys.stderr)
    return results | web.run(directory, int(os.environ.get("BENCH_ROUNDS", 9)))


def instructions(directory, workload, contestant, megabytes):
    """What callgrind counts for one run of one contestant, start-up and all."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
               directory / "lines", workload, contestant]
    output = subprocess.run(command, check=True, capture_output=True, text=True,
                            env=os.environ | {"BENCH_MB": str(megabytes)})
    size, lines = map(int, re.search(r"(\d+) bytes, (\d+) lines", output.stdout).groups())
    return int(re.search(r"Collected : (\d+)", output.stderr)[1]), size, lines


def per_line(directory):
    """Instructions per line and byte: {workload: {contestant: (per line, per byte)}}. The file
    is read by each contestant and by the kernel alone; the difference is the contestant's."""
    counts = {}
    for workload in ["1-20", "20-100", "2000-8000"]:
        print(f"instructions: lines of {workload} ...", file=sys.stderr)
        nothing, size, lines = instructions(directory, workload, "kernel", 0.25)
        for name in [*OURS, "book", "fgets_unlocked 64K", "floor"]:
            count = instructions(directory, workload, name, 0.25)[0] - nothing
            counts.setdefault(workload, {})[name] = (count / lines, count / size)
    return counts


def machine():
    """The machine in one line."""
    cpu = platform.processor() or platform.machine()
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
        cpu = re.search(r"model name\s*:\s*(.+)", text)[1]
        widest = next(f for f in ("avx512bw", "avx2", "sse2", "asimd") if re.search(rf"\b{f}\b", text))
    except (OSError, TypeError, StopIteration):
        widest = "?"
    libc = " ".join(platform.libc_ver())
    return f"{cpu}, {os.cpu_count()} cores, {widest}, {platform.system()} {platform.release()}, {libc}"


class Table:
    """Rows of targets, with best and median of both forms of the library."""

    def __init__(self, results):
        self.results = results
        self.rows = []

    def ratio(self, key, name, reference, column):
        field = self.results[key]
        rivals = [field[rival][column] for rival in reference if rival in field] or [1]
        return field[name][column] / min(rivals)

    def at_most(self, what, key, reference, limit):
        self.row(what, key, reference, limit, f"<= {limit:.2f}", lambda ratio: ratio)

    def faster(self, what, key, reference, factor):
        self.row(what, key, reference, factor, f">= {factor:g} x", lambda ratio: 1 / ratio)

    def row(self, what, key, reference, limit, target, shown):
        cells, met = [], True
        for name in OURS:
            if name not in self.results[key]:
                cells += ["-", "-"]
                continue
            best, median = (shown(self.ratio(key, name, reference, column)) for column in (0, 1))
            met &= best >= limit if target.startswith(">=") else best <= limit
            cells += [f"{best:.2f}", f"{median:.2f}"]
        self.rows.append([what, target, *cells, "met" if met else "not met"])

    def show(self):
        head = ["target", "", ".so best", "median", ".a best", "median", ""]
        widths = [max(len(row[i]) for row in [head, *self.rows]) for i in range(len(head))]
        for row in [head, *self.rows]:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def steepest(results, name):
    """The steepest step from one length to the next longer one, best and median."""
    steps = []
    for column in (0, 1):
        costs = [results["lines", length][name][column] / (int(length) * results["lines", length][name][2])
                 for length in GROWTH]
        steps.append(max(after / before for before, after in zip(costs, costs[1:])))
    return (*steps, 1)


def targets(results):
    table = Table(results)
    for length, floor, book in zip(LENGTHS, [0.80, 1.05, 1.05, 1.05], [4, 12, 20, 25]):
        key = ("lines", length)
        table.at_most(f"readlineb, lines of {length}: of the floor", key, ["floor"], floor)
        table.faster(f"readlineb, lines of {length}: best of stdio", key, STDIO, 1.25)
        table.faster(f"readlineb, lines of {length}: the book's algorithm", key, ["book"], book)
    results["growth", ""] = {name: steepest(results, name) for name in [*OURS, "kernel"]}
    table.at_most("readlineb: steepest step in ns per byte, lines of 100 to 8,191", ("growth", ""),
                  [], 1.05)
    for workload in REAL:
        table.at_most(f"readlineb, {workload}: of the floor", ("lines", workload), ["floor"], 1.05)
    for chunk, limit in [("16", 0.85), ("128", 0.95), ("1024", 1.02)]:
        table.at_most(f"readnb, {chunk} bytes: of the book", ("readnb", chunk), ["book"], limit)
    for chunk in ["8192", "65536", "524288", "1048576"]:
        table.at_most(f"readnb, {chunk} bytes: of read", ("readnb", chunk), ["read"], 1.03)
    for where in ["file", "pipe", "socketpair", "tcp"]:
        for chunk in ["4096", "65536"]:
            key = f"{where} {chunk}"
            table.at_most(f"readn, {key}: of read", ("readn", key), ["plain"], 1.03)
            has_probe = where in ("file", "pipe") and chunk == "4096"
            limit = 1.10 if has_probe else 1.03
            table.at_most(f"writen, {key}: of write", ("writen", key), ["plain"], limit)
    table.at_most("open_clientfd by number: of socket + connect", ("connect", "by number"),
                  ["plain"], 1.05)
    table.at_most("requests of 14 lines: of the book", ("requests", "14 headers"), ["book"], 1.00)
    for what in ["time per request", "processor time per request"]:
        if ("web server", what) in results:
            table.at_most(f"web server under wrk, {what}: of the book", ("web server", what),
                          ["book"], 1.00)
    table.at_most("dlopen: of a C library of the same exports and imports", ("load", "dlopen"),
                  ["C library"], 1.00)
    table.at_most("dlopen: of one of the same exports that needs nothing", ("load", "dlopen"),
                  ["empty C library"], 1.00)
    return table


def growth(results):
    """Nanoseconds per byte for lines of one length, as a table of its own."""
    print("\nnanoseconds per byte, lines of one length (best; should not grow):")
    for name in [*OURS, "floor", "kernel"]:
        cells = []
        for length in GROWTH:
            best, _, lines = results["lines", length][name]
            cells.append(f"{best / (int(length) * lines):.3f}")
        print(f"  {name:12}" + " ".join(f"{cell:>6}" for cell in cells))
    print(f"  {'of':12}" + " ".join(f"{length:>6}" for length in GROWTH))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    directory = Path(sys.argv[1])
    docs = Path("docs")
    docs.mkdir(exist_ok=True)
    results = run(directory)
    counts = per_line(directory) if shutil.which("valgrind") else {}
    with open(docs / "bench.csv", "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        file.write(f"# {machine()}\n")
        out.writerow(["suite", "workload", "contestant", "best_ns", "median_ns", "units"])
        for (suite, workload), field in results.items():
            out.writerows([suite, workload, name, *numbers] for name, numbers in field.items())
        for workload, field in counts.items():
            out.writerows(["instructions per line", workload, name, f"{line:.1f}", f"{line:.1f}", 1]
                          for name, (line, _) in field.items())
    chart.draw(docs)
    print(machine(), end="\n\n")
    targets(results).show()
    growth(results)
    if counts:
        print("\ninstructions per line and per byte (callgrind, whose processor has no AVX-512):")
        for workload, field in counts.items():
            cells = (f"{name} {line:.0f} / {byte:.2f}" for name, (line, byte) in field.items())
            print(f"  lines of {workload}: " + ", ".join(cells))
    print("\nwritten: docs/bench.csv, docs/bench.svg, docs/lines.svg")


main()
