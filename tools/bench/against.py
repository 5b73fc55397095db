#!/usr/bin/env python3
"""Graphs in two libraries with TensorFlow's C interface, in turn: the README's figures.

    tools/bench/against.py LIBRARY FOLDER [NAME...] [--build build/release]

LIBRARY is the other one (libtensorflow_cc.so.2 of a TensorFlow installation). FOLDER
holds GraphDefs and graphs.json: for each name its file, feed, fetch, target and init in
the words of abi_bench. Rounds of the two take turns and the best median of each counts;
results are compared. Memory is that of the process.
"""
import argparse
import json
import os
import subprocess
import sys

from run import close, time_text


def measure(build, library, folder, spec, seconds):
    command = [os.path.join(build, "bin", "abi_bench"), library, os.path.join(folder, spec["file"]),
               "--seconds", str(seconds)]
    for option in ("feed", "fetch", "target", "init"):
        for value in spec.get(option) or []:
            command += ["--" + option, value]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library")
    parser.add_argument("folder")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--build", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../build/release"))
    parser.add_argument("--seconds", type=float, default=1, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    a = parser.parse_args()
    with open(os.path.join(a.folder, "graphs.json")) as f:
        graphs = json.load(f)
    libraries = {"other": a.library, "Millrace": os.path.join(a.build, "lib", "libtensorflow.so.2")}

    print("| graph | other | Millrace | ratio | first run | peak memory |\n|---|---|---|---|---|---|")
    failed = False
    for name in a.names or graphs:
        best = {}
        for _ in range(a.rounds):
            for who, library in libraries.items():
                found = measure(a.build, library, a.folder, graphs[name], a.seconds)
                if isinstance(found, str):
                    best[who] = found
                elif isinstance(best.setdefault(who, found), dict):
                    for key in ("median_us", "first_ms", "peak_rss_mib"):
                        best[who][key] = min(best[who][key], found[key])
        errors = [f"{who}: {e}" for who, e in best.items() if isinstance(e, str)]
        if not errors and not close(best["other"]["sums"], best["Millrace"]["sums"]):
            errors = [f"other result: {best['other']['sums']} and {best['Millrace']['sums']}"]
        if errors:
            failed = True
            print(f"| {name} | {'; '.join(errors)} |", flush=True)
            continue
        other, ours = best["other"], best["Millrace"]
        print(f"| {name} | {time_text(other['median_us'])} | {time_text(ours['median_us'])} "
              f"| {other['median_us'] / ours['median_us']:.1f} | {other['first_ms']:.1f} / {ours['first_ms']:.1f} ms "
              f"| {other['peak_rss_mib']:.0f} / {ours['peak_rss_mib']:.0f} MiB |", flush=True)
    print(f"\nOne thread; the best median of {a.rounds} rounds of {a.seconds} s, {os.cpu_count()} cores, "
          f"load {os.getloadavg()[0]:.1f}.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
