"""Draws what conncap measured: memory and time against the number of idle connections, as SVG.

usage: connchart.py CSV > SVG
"""

import csv
import sys

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 640, 300, 80, 50, 60


def panel(y, title, unit, points, colour):
    """One curve over the number of connections."""
    across = max(x for x, _ in points) or 1
    up = max(v for _, v in points) or 1
    plot_w, plot_h = WIDTH - LEFT - 30, HEIGHT - TOP - BOTTOM
    place = lambda x, v: (LEFT + plot_w * x / across, y + TOP + plot_h * (1 - v / up))
    out = [f'<text x="{LEFT}" y="{y + 28}" font-size="16" font-weight="bold">{title}</text>']
    for step in range(5):
        x, v = across * step / 4, up * step / 4
        px, _ = place(x, 0)
        _, py = place(0, v)
        out.append(f'<path d="M{LEFT} {py:.1f}H{WIDTH - 30}" stroke="#ddd"/>')
        out.append(f'<text x="{LEFT - 8}" y="{py + 4:.1f}" text-anchor="end">{v:,.0f} {unit}</text>')
        out.append(f'<text x="{px:.1f}" y="{y + HEIGHT - BOTTOM + 18}" text-anchor="middle">{x:,.0f}</text>')
    line = " ".join("{:.1f},{:.1f}".format(*place(x, v)) for x, v in points)
    out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
    for x, v in points:
        out.append('<circle cx="{:.1f}" cy="{:.1f}" r="3" fill="{}"/>'.format(*place(x, v), colour))
    out.append(f'<text x="{LEFT + plot_w / 2}" y="{y + HEIGHT - 20}" text-anchor="middle">connections held</text>')
    return out


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    with open(sys.argv[1], newline="") as file:
        rows = [{k: v if k == "phase" else float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    first = rows[0]
    rows = [row for row in rows if row["phase"] in ("start", "idle")]
    memory = [(row["connections"], (row["slab_kb"] - first["slab_kb"]) / 1024) for row in rows]
    time = [(row["connections"], row["seconds"]) for row in rows]
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {2 * HEIGHT}" '
          'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>')
    print("\n".join(panel(0, "Kernel memory for objects, both ends", "MiB", memory, "#14532d")))
    print("\n".join(panel(HEIGHT, "Time to open them", "s", time, "#9a3412")))
    print("</svg>")


if __name__ == "__main__":
    main()
