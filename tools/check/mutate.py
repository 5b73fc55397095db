#!/usr/bin/env python3
"""Breaks the code on purpose, one place at a time, and shows which test notices.

    tools/check/mutate.py [--build build/release] [NAME ...]

Each mutation of mutations.json replaces one piece of text in one file; the tree
is built in place, the tests run, and the file is put back, whatever happens. A
mutation that no test notices is a hole in the suite: the script ends with 1.
Run it on a clean tree with a built release preset; it is not part of CI.
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def failing_tests(build, pattern):
    """Names of the tests that fail, or None where all pass."""
    run = subprocess.run(["ctest", "--test-dir", build, "-j2", "-R", pattern, "--stop-on-failure", "--timeout", "300"],
                         capture_output=True, text=True)
    names = re.findall(r"Test\s+#\d+: (.*?) \.*\*\*\*", run.stdout)
    return names if run.returncode else None


def try_mutation(mutation, build):
    path = ROOT / mutation["file"]
    original = path.read_text()
    if original.count(mutation["from"]) != 1:
        return "the text to replace is there %d times, expected once" % original.count(mutation["from"]), False
    try:
        path.write_text(original.replace(mutation["from"], mutation["to"]))
        built = subprocess.run(["ninja", "-C", build], capture_output=True, text=True)
        if built.returncode:
            return "does not build: " + built.stdout.strip().splitlines()[-1], False
        failed = failing_tests(build, mutation.get("tests", "."))
        return (", ".join(failed) if failed else "NOT NOTICED"), bool(failed)
    finally:
        path.write_text(original)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(ROOT / "build/release"))
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    mutations = json.loads((HERE / "mutations.json").read_text())
    holes = 0
    for mutation in mutations:
        if arguments.names and mutation["name"] not in arguments.names:
            continue
        begin = time.time()
        found, noticed = try_mutation(mutation, arguments.build)
        holes += not noticed
        print("%-28s %-60s %s (%.0f s)" % (mutation["name"], mutation["what"], found, time.time() - begin), flush=True)
    subprocess.run(["ninja", "-C", arguments.build], capture_output=True)
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(main())
