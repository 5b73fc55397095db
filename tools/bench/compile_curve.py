#!/usr/bin/env python3
"""Draws what compile_bench prints: milliseconds of a compile over the nodes of a graph.

    build/release/bin/compile_bench | tools/bench/compile_curve.py > compiler/compile_time.svg

Both axes are linear, so that a compile whose time is linear is a straight line.
"""
import sys

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 40, 48
COLOURS = ["#4269d0", "#d97706", "#c2410c", "#0f766e", "#7c3aed", "#64748b", "#15803d"]
STYLE = """
  text { font: 12px sans-serif; fill: #334155; }
  .grid { stroke: #94a3b8; stroke-opacity: .35; }
  .line { fill: none; stroke-width: 2; }
  @media (prefers-color-scheme: dark) { text { fill: #cbd5e1; } }"""


def read(lines):
    """{kind: [(nodes, milliseconds)]}, a point of the origin first."""
    kinds = {}
    for line in lines:
        words = line.split()
        if len(words) > 4 and words[2] == "nodes" and words[4] == "ms":
            kinds.setdefault(words[0], [(0, 0.0)]).append((int(words[1]), float(words[3])))
    return kinds


def ticks(most, about=5):
    """Round numbers from 0 that cover `most`."""
    step = 1
    while step * about < most:
        step *= 2.5 if str(step)[0] == "2" else 2
    return [step * i for i in range(int(most / step) + 2)]


def spread(wanted, apart):
    """Heights as near to `wanted` (ascending) as labels allow that stay `apart`."""
    out = []
    for y in wanted:
        out.append(max(y, out[-1] + apart) if out else y)
    excess = max(0, out[-1] - (HEIGHT - BOTTOM)) if out else 0
    return [y - excess for y in out]


def draw(kinds):
    xs, ys = (ticks(max(p[i] for points in kinds.values() for p in points)) for i in (0, 1))
    # The last tick of nodes may lie behind the last point.
    wide = max(p[0] for points in kinds.values() for p in points)
    x = lambda nodes: LEFT + nodes / wide * (WIDTH - LEFT - RIGHT)
    y = lambda ms: HEIGHT - BOTTOM - ms / ys[-1] * (HEIGHT - TOP - BOTTOM)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
           f'aria-label="Compile time over nodes">', f"<style>{STYLE}\n</style>",
           f'<text x="{LEFT}" y="20">compile time (ms) over the nodes of the graph</text>']
    for tick in ys:
        out.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>'
                   f'<text x="{LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for tick in xs:
        if tick <= wide:
            out.append(f'<text x="{x(tick):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{tick:g}</text>')
    order = sorted(kinds, key=lambda kind: y(kinds[kind][-1][1]))
    heights = spread([y(kinds[kind][-1][1]) for kind in order], 16)
    for i, (kind, height) in enumerate(zip(order, heights)):
        colour = COLOURS[i % len(COLOURS)]
        points = " ".join(f"{x(n):.1f},{y(ms):.1f}" for n, ms in kinds[kind])
        out.append(f'<polyline class="line" stroke="{colour}" points="{points}"/>')
        for n, ms in kinds[kind][1:]:
            out.append(f'<circle cx="{x(n):.1f}" cy="{y(ms):.1f}" r="3" fill="{colour}"/>')
        last_x, last_y = x(kinds[kind][-1][0]), y(kinds[kind][-1][1])
        out.append(f'<line stroke="{colour}" stroke-opacity=".5" x1="{last_x + 4:.1f}" y1="{last_y:.1f}" '
                   f'x2="{last_x + 16:.1f}" y2="{height:.1f}"/>'
                   f'<text x="{last_x + 20:.1f}" y="{height + 4:.1f}">{kind}</text>')
    return "\n".join(out + ["</svg>"])


if __name__ == "__main__":
    found = read(sys.stdin)
    if not found:
        sys.exit("expected the output of compile_bench")
    print(draw(found))
