#!/usr/bin/env python3
"""tools/check/comments.py: every function that a host calls stands under a comment.

A comment counts for what follows it without a blank line; one above a class counts
for the class, not for its functions. Constructors, operators, what a base class
declares, accessors (in lower case) and conversions (ToX) need none, nor does what is
private or in a namespace of details.
"""
import itertools
import pathlib
import re
import sys

FUNCTION = re.compile(r"\b([A-Za-z_]\w*)\((?!\()")
NOT_FUNCTIONS = {"if", "for", "while", "switch", "return", "sizeof", "defined", "alignas", "decltype", "requires",
                 "static_assert", "__attribute__", "assert", "noexcept", "defined", "alignof"}


# What a program includes that builds, reads, compiles or runs graphs.
FOLDERS = ["compiler/api", "ops/builder", "ops/gradients", "ops/graph", "ops/io", "ops/training", "ops/user",
           "runtime/session"]
FILES = ["proto/value/limits.h", "runtime/c_api/c_api.h", "runtime/executor/plan_runner.h", "runtime/executor/runner.h"]


def headers(root):
    found = [path for folder in FOLDERS for path in sorted((root / folder).glob("*.h"))]
    return found + [root / file for file in FILES if (root / file).exists()]


def declared(line, classes):
    """The function that the line begins to declare at its own scope, or None."""
    code = re.sub(r"//.*|/\*.*?\*/|\"(\\.|[^\"])*\"", "", line)
    if re.search(r"\boperator\b|\boverride\b|= (default|delete)|^\s*(#|using|friend|typedef|return|MR_|[:,}])", code):
        return None
    found = FUNCTION.search(code)
    if found is None or found[1] in NOT_FUNCTIONS or "=" in code[: found.start()].replace("==", ""):
        return None
    name, before = found[1], code[: found.start()].strip()
    if name[0].islower() or re.match(r"To[A-Z]", name):
        return None
    if name in classes or not before or before.endswith((".", ">", "~", "(", ",", "explicit")) and not before.endswith(">"):
        return None
    return name


def undocumented(path):
    """(line number, function) for each that no comment is about."""
    found, scopes, classes = [], [], set()
    lines = path.read_text().split("\n")
    covered = False   # by a comment, since the last blank line
    in_comment = False
    statement = ""    # that is not finished
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if in_comment or text.startswith(("//", "/*")):
            in_comment = (in_comment or text.startswith("/*")) and "*/" not in text
            covered = True
            continue
        if not text:
            covered = False if not statement else covered
            continue
        if text.startswith("#") or text.endswith("\\"):
            continue
        code = re.sub(r"//.*|/\*.*?\*/|\"(\\.|[^\"])*\"|'(\\.|[^'])'", "", line)
        if re.match(r"\s*(private|protected|public):", code) and scopes:
            scopes[-1] = (scopes[-1][0], "private" in code or "protected" in code)
            covered = False
            continue
        opened = code.count("{") - code.count("}")
        kind = "namespace" if re.match(r"\s*(inline )?namespace\b", code) or 'extern "C"' in line else "other"
        made = re.match(r"\s*(template <.*> )?(class|struct|union)\s+(?:alignas\(.*?\)\s+)?(\w+)", code)
        if made and ";" not in code.split("{")[0]:
            kind = "class"
            classes.add(made[3])
        hidden = any(s[1] for s in scopes) or any(s[0] == "other" for s in scopes)
        if not statement and not hidden and kind == "other":
            name = declared(line, classes)
            unfinished = list(itertools.takewhile(lambda more: not re.search(r"[;{]", more), lines[number - 1 :]))
            whole = " ".join(lines[number - 1 : number + len(unfinished)])
            if name is not None and not covered and "//" not in line and "override" not in whole:
                found.append((number, name))
        ended = code.rstrip().endswith((";", "{", "}", ":")) or opened != 0 or re.match(r"\s*template <.*>\s*$", code)
        statement = "" if ended else statement + code
        for _ in range(opened):
            private = kind == "class" and made[2] == "class"
            details = kind == "namespace" and re.search(r"internal|detail|families", code) is not None
            scopes.append((kind, private or details))
        for _ in range(-opened):
            if scopes:
                scopes.pop()
        if kind == "class" and opened > 0:
            covered = False
    return found


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parents[2]
    count = 0
    for path in headers(root):
        for number, name in undocumented(path):
            print(f"{path.relative_to(root)}:{number}: '{name}' has no comment")
            count += 1
    if count:
        print(f"comments: {count} functions without one", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
