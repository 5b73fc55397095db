#!/usr/bin/env python3
"""tools/check/examples.py ROOT: every line of an example is in a program that a test runs.

Examples are what stands three blanks behind "//" in headers that hosts include, and the
cpp blocks of the READMEs about them. What a line says is looked for in EXAMPLES without
white space and comments; lines with "..." leave something out and are left alone.
"""
import pathlib
import re
import sys

import comments

READMES = ["README.md", "ops/builder/README.md", "ops/gradients/README.md", "ops/user/README.md"]
EXAMPLES = ["tests/end_to_end/examples_test.cc", "tests/runtime/user_ops/cube_ops.cc"]


def bare(code):
    """Without comments and white space."""
    return re.sub(r"\s", "", re.sub(r"(?m)//.*$", "", code))


def of_header(text):
    return [(n, line[5:]) for n, line in enumerate(text.split("\n"), 1) if re.match(r"//   +\S", line)]


def of_readme(text):
    found, inside = [], False
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip().startswith("```"):
            inside = line.strip() == "```cpp"
        elif inside:
            found.append((number, line))
    return found


def missing(lines, programs):
    """Those of `lines` that no program has."""
    # A brace or less says nothing.
    return [(n, line) for n, line in lines
            if "..." not in line and len(bare(line)) > 2 and bare(line) not in programs]


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    programs = "".join(bare((root / path).read_text()) for path in EXAMPLES)
    examples = {path: of_header(path.read_text()) for path in comments.headers(root) if path.name != "c_api.h"}
    examples |= {root / path: of_readme((root / path).read_text()) for path in READMES}
    count = 0
    for path, lines in examples.items():
        for number, line in missing(lines, programs):
            print(f"{path.relative_to(root)}:{number}: no test runs '{line.strip()}'")
            count += 1
    if count:
        print(f"examples: {count} lines that are in none of {', '.join(EXAMPLES)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
