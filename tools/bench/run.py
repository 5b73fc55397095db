#!/usr/bin/env python3
"""What the compiler gains, over a folder of graphs.

    tools/bench/run.py FOLDER [NAME...] [--graphc build/release/bin/graphc]

FOLDER holds GraphDefs and graphs.json: for each name its file and, in the words of
`graphc bench`, feed ("x:0,float,8x3" or "ids:0,int32,8,mod1000"), fetch, target and
init. Each graph is measured in every way in turn, several rounds, and the best median
counts, so that a busy machine disturbs all ways alike. Figures are ratios to the first
way; machines differ: compare within one table. Results of all ways are compared, so
a figure of a wrong answer is an error.
"""
import argparse
import json
import os
import subprocess
import sys

WAYS = {  # name: options of graphc bench
    "compiled": ["--codegen", "on"],
    "2 threads": ["--codegen", "on", "--threads", "2"],
    "no machine code": ["--codegen", "off"],
    "no clusters": ["--codegen", "on", "--disable-pass", "fuse-clusters"],
    "no fusion": ["--codegen", "on", "--disable-pass", "fuse-clusters", "--disable-pass", "fuse-epilogues"],
    "no passes": ["--disable-pass", "all"],
}


def arguments(folder, spec):
    """Of `graphc bench` for one entry of graphs.json."""
    out = [os.path.join(folder, spec["file"])]
    for feed in spec.get("feed", []):
        name, _, shape, *rest = feed.split(",")
        out += ["--feed", name, "--shape", f"{name}={shape.replace('x', ',')}"]
        out += [x for r in rest if r.startswith("mod") for x in ("--high", f"{name}={r[3:]}")]
    for option in ("fetch", "target", "init"):
        for name in spec.get(option, []):
            out += ["--" + option, name]
    return out


def close(a, b):
    return len(a) == len(b) and all(x == y or abs(x - y) <= 1e-3 * max(1.0, abs(x)) for x, y in zip(a, b))


def measure(graphc, base, options, seconds):
    done = subprocess.run([graphc, "bench", *base, "--json", "--seconds", str(seconds), *options],
                          capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        return None, done.stderr.strip()
    return json.loads(done.stdout), ""


def time_text(us):
    return f"{us:.2f} us" if us < 1000 else f"{us / 1000:.2f} ms"


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--graphc", default=os.path.join(here, "..", "..", "build", "release", "bin", "graphc"))
    parser.add_argument("--seconds", type=float, default=0.5, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--min", action="store_true", help="the shortest run, not the median: on a busy machine")
    parser.add_argument("--ways", default=",".join(WAYS), help="of: " + ", ".join(WAYS))
    a = parser.parse_args()
    with open(os.path.join(a.folder, "graphs.json")) as f:
        graphs = json.load(f)
    ways = a.ways.split(",")
    time = "min_us" if a.min else "median_us"
    if unknown := [n for n in a.names if n not in graphs] + [w for w in ways if w not in WAYS]:
        parser.error(f"not known: {', '.join(unknown)}")

    print(f"| graph | steps | {ways[0]} | first run | memory | " + " | ".join(ways[1:]) + " |")
    print("|" + "---|" * (len(ways) + 4))
    failed = False
    for name in a.names or graphs:
        base = arguments(a.folder, graphs[name])
        best, errors = {}, {}
        for _ in range(a.rounds):
            for way in ways:
                found, error = measure(a.graphc, base, WAYS[way], a.seconds)
                if found is None:
                    errors[way] = error
                elif way not in best:
                    best[way] = found
                else:
                    for key in (time, "import_ms", "compile_ms", "load_ms", "first_ms", "peak_rss_mib"):
                        best[way][key] = min(best[way][key], found[key])
        if ways[0] not in best:
            print(f"| {name} | {errors[ways[0]]} |")
            failed = True
            continue
        first = best[ways[0]]
        start = sum(first[k] for k in ("import_ms", "compile_ms", "load_ms", "first_ms"))
        cells = [name, str(first["steps"]), time_text(first[time]), f"{start:.1f} ms",
                 f"{first['peak_rss_mib']:.0f} MiB"]
        for way in ways[1:]:
            if way not in best:
                cells.append("error")
                print(f"{name}, {way}: {errors[way]}", file=sys.stderr)
                failed = True
            elif not close(first["sums"], best[way]["sums"]):
                cells.append("other result")
                failed = True
            else:
                cells.append(f"{best[way][time] / first[time]:.2f}")
        print("| " + " | ".join(cells) + " |", flush=True)
    load = os.getloadavg()[0]
    print(f"\nOne thread where not said; the {'shortest run' if a.min else 'best median'} of {a.rounds} rounds of {a.seconds} s, {os.cpu_count()} cores, "
          f"load {load:.1f}. Other columns are times as a multiple of the first.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
