"""Draws the charts of docs/bench.csv: bench.svg, every contestant and workload of reading lines, for
docs/performance.md, and lines.svg, two panels, for the README.

usage: chart.py DIR    DIR: where bench.csv is, and where the charts go
"""

import csv
import sys
from pathlib import Path
from xml.sax.saxutils import escape

OURS = ["libcsapp.so", "libcsapp.a"]
STDIO = ["fgets", "fgets_unlocked 64K", "getline"]
LENGTHS = ["1-20", "20-100", "80-300", "2000-8000"]
REAL = ["web log", "HTTP headers"]

PANELS = {"1-20": "short lines (1 to 20 bytes)", "web log": "lines of a web server's log"}
SHOWN = {"libcsapp.so": "libcsapp", "fgets_unlocked 64K": "fgets_unlocked, 64 KiB", "getline": "getline",
         "fgets": "fgets", "book": "the book's algorithm"}

STYLE = """text{font:12px sans-serif;fill:#333}.title{font-weight:bold}.name{text-anchor:end}
.ours{fill:#0a7d5a}.peer{fill:#b9c0c8}.ours-value{font-weight:bold;fill:#0a7d5a}
.ours-value,.peer-value{paint-order:stroke;stroke:#fff;stroke-width:3px}
.head{font-size:16px;font-weight:bold}.floor{stroke:#c0392b;stroke-width:1.5;stroke-dasharray:4 3}"""


def read(path):
    """The machine, and the results: {(suite, workload): {contestant: (best, median, units)}}."""
    machine, _, *rows = path.read_text(encoding="utf-8").splitlines()
    results = {}
    for suite, workload, name, *numbers in csv.reader(rows):
        results.setdefault((suite, workload), {})[name] = tuple(map(float, numbers))
    return machine.removeprefix("# "), results


def svg(width, height, label, parts):
    """A picture, of a white page so that it can be read in a dark window."""
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"
 viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">
<style>{STYLE}</style>
<rect width="100%" height="100%" fill="#fff"/>
{chr(10).join(parts)}
</svg>
"""


def all_of_it(machine, results):
    """Time per workload as bars, ours beside the peers', with the floor as a line."""
    names = ["libcsapp.so", *STDIO, "skalibs", "libevent", "BufReader", "book"]
    names = [name for name in names if name in results["lines", LENGTHS[0]]]
    left, width, bar, gap, top = 150, 620, 15, 44, 74
    scale, longest = width / 5, 5  # the axis ends at five times the floor
    parts = ['<text x="8" y="22" class="head">Reading a file line by line: time, shorter is better</text>',
             '<text x="8" y="42">1.00 (dashed) is the floor: read, memchr and memcpy inlined, without a check '
             'or an edge case</text>']
    y = top
    for workload in LENGTHS + REAL:
        field = results["lines", workload]
        title = workload if workload in REAL else f"lines of {workload} bytes"
        parts.append(f'<text x="8" y="{y - 7}" class="title">{escape(title)}</text>')
        values = []  # above the line, which is above the bars
        for name in names:
            ratio = field[name][0] / field["floor"][0]
            end = min(ratio, longest) * scale
            kind = "ours" if name in OURS else "peer"
            parts.append(f'<text x="{left - 8}" y="{y + 11}" class="name">{escape(name)}</text>')
            parts.append(f'<rect x="{left}" y="{y + 1}" width="{end:.1f}" height="{bar - 3}" class="{kind}"/>')
            beyond = " \u2192" if ratio > longest else ""
            values.append(f'<text x="{left + end + 5:.1f}" y="{y + 11}" class="{kind}-value">{ratio:.2f}{beyond}</text>')
            y += bar
        floor = left + scale
        parts.append(f'<line x1="{floor}" x2="{floor}" y1="{y - bar * len(names) - 3}" y2="{y + 3}" class="floor"/>')
        parts += values
        y += gap
    height = y + 4
    parts.append(f'<text x="8" y="{height - 14}">{escape(machine)}</text>')
    return svg(left + width + 80, height, "Time to read a file line by line", parts)


def two_panels(machine, results):
    """Nanoseconds per line for two kinds of lines, as bars from 0 to the longest of the panel."""
    left, width, gap, bar, top = 150, 190, 80, 20, 52
    parts = ['<text x="8" y="22" class="head">Reading a line: nanoseconds, shorter is better</text>']
    for row, name in enumerate(SHOWN.values()):
        parts.append(f'<text x="{left - 8}" y="{top + row * bar + 21}" class="name">{escape(name)}</text>')
    for column, (workload, title) in enumerate(PANELS.items()):
        x = left + column * (width + gap)
        parts.append(f'<text x="{x}" y="{top}" class="title">{escape(title)}</text>')
        best, _, lines = zip(*(results["lines", workload][name] for name in SHOWN))
        times = [time / count for time, count in zip(best, lines)]
        for row, (name, time) in enumerate(zip(SHOWN, times)):
            kind = "ours" if name in OURS else "peer"
            y, end = top + row * bar + 9, time / max(times) * width
            parts.append(f'<rect x="{x}" y="{y}" width="{end:.1f}" height="{bar - 5}" class="{kind}"/>')
            parts.append(f'<text x="{x + end + 5:.1f}" y="{y + 12}" class="{kind}-value">{time:.0f}</text>')
    height = top + len(SHOWN) * bar + 36
    parts.append(f'<text x="8" y="{height - 10}">{escape(machine)}</text>')
    return svg(left + 2 * (width + gap) - 30, height, "Nanoseconds to read a line", parts)


def draw(directory):
    """Both charts, from what bench.csv has."""
    machine, results = read(directory / "bench.csv")
    (directory / "bench.svg").write_text(all_of_it(machine, results), encoding="utf-8")
    (directory / "lines.svg").write_text(two_panels(machine, results), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    draw(Path(sys.argv[1]))
