#!/usr/bin/env python3
"""Checks the order of the rooms: includes and link edges point left only in
proto < devices < ops < compiler < runtime < tools < samples; tests see all.

  layering.py ROOT [LINK_EDGES]

ROOT is the project's tree; LINK_EDGES is the file that the build writes
(tools/cmake/LinkEdges.cmake): a line a target with its name, its folder and the
targets it links. Prints every arrow that points right, and what else breaks the
rules below, one a line; the exit code is 1 then.
"""
import os
import re
import subprocess
import sys

ROOMS = ["proto", "devices", "ops", "compiler", "runtime", "tools", "samples", "tests"]
SOURCES = (".h", ".cc", ".cpp", ".c", ".inc", ".def", ".td")
TOP_LEVEL = set(ROOMS) | {"CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]', re.M)

# The libraries of a host that only runs plans: no compiler, however far away.
WITHOUT_COMPILER = {"millrace_plan", "millrace_executor", "millrace_runtime"}

# (start of the include, rooms and folders that may have it, why)
FOREIGN = [
    ("mlir/", ("compiler/", "tests/compiler/"), "MLIR stays inside compiler/"),
    ("llvm/", ("compiler/", "tests/compiler/"), "LLVM stays inside compiler/"),
    ("google/protobuf/", ("tools/", "tests/"), "protobuf is for tools and tests"),
    ("cuda", ("devices/cuda/", "ops/"), "CUDA stays with its device and kernels"),
]

# Folders that a machine has and a project does not name. Spelled in parts, so
# that this file has none of them.
MACHINE_PATH = re.compile(r"(?<![\w.:/$}-])/(?:" + "|".join(["ho" + "me", "ro" + "ot", "wo" + "rk", "Us" + "ers"]) + r")/\w")


def files_of(root):
    """Paths of the tree's files, from ROOT: what git knows or would add."""
    try:
        out = subprocess.run(
            ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
        paths = [p for p in out.split("\0") if p]
        if paths:
            return [p for p in paths if os.path.isfile(os.path.join(root, p))]
    except (OSError, subprocess.CalledProcessError):
        pass
    paths = []
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if f not in ("build", ".git")]
        paths += [os.path.relpath(os.path.join(folder, n), root) for n in names]
    return paths


def room_of(path):
    room = path.split("/", 1)[0]
    return room if room in ROOMS else None


def check_include(path, target, quoted, root):
    """What is wrong with an include of `target` in `path`, or None."""
    room = room_of(path)
    for start, allowed, why in FOREIGN:
        if target.startswith(start) and not path.startswith(allowed):
            return why
    if target.startswith("millrace/"):
        other_path = target[len("millrace/"):]
        other = room_of(other_path)
        if other is None:
            return "there is no such room"
        if ROOMS.index(other) > ROOMS.index(room):
            return f"{room} may not see {other}"
        if other == "compiler" and room not in ("compiler", "tests"):
            if not other_path.startswith("compiler/api/"):
                return "other rooms see compiler/api alone"
            if room == "runtime" and not path.startswith("runtime/session/"):
                return "in runtime, session alone sees the compiler"
        return None
    if quoted:
        beside = os.path.join(root, os.path.dirname(path), target)
        if os.path.exists(beside) or os.path.exists(os.path.join(root, target)):
            return "spelled without millrace/"
    return None


def check_includes(root, files):
    problems = []
    for path in files:
        if room_of(path) is None or not path.endswith(SOURCES):
            continue
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as f:
            text = f.read()
        for match in INCLUDE.finditer(text):
            wrong = check_include(path, match.group(2), match.group(1) == '"', root)
            if wrong:
                line = text.count("\n", 0, match.start(2)) + 1
                problems.append(f"{path}:{line}: includes {match.group(2)}: {wrong}")
    return problems


def read_edges(lines):
    """{target: (folder, [linked targets])}"""
    targets = {}
    for line in lines:
        name, folder, links = (line.rstrip("\n").split("\t") + ["", ""])[:3]
        names = []
        for link in links.split(";"):
            # Links of a static library's own are wrapped.
            while True:
                inner = re.fullmatch(r"\$<(?:LINK_ONLY|BUILD_INTERFACE):(.*)>", link)
                if not inner:
                    break
                link = inner.group(1)
            names.append(link)
        targets[name] = (folder, names)
    return targets


def check_links(lines):
    targets = read_edges(lines)
    problems = []
    for name, (folder, links) in targets.items():
        room = room_of(folder)
        if room is None:
            continue
        for link in links:
            other = room_of(targets[link][0]) if link in targets else None
            if other and ROOMS.index(other) > ROOMS.index(room):
                problems.append(f"target {name} ({folder}) links {link} ({targets[link][0]}): {room} may not see {other}")
    for name in sorted(WITHOUT_COMPILER & set(targets)):
        seen, way = {name}, [(name, name)]
        while way:
            at, route = way.pop()
            for link in targets[at][1]:
                if link not in targets or link in seen:
                    continue
                seen.add(link)
                through = f"{route} > {link}"
                if room_of(targets[link][0]) == "compiler":
                    problems.append(f"target {name} links the compiler: {through}")
                way.append((link, through))
    return problems


def check_paths(root, files):
    """No file names a folder of the machine that it was written on."""
    problems = []
    here = os.path.realpath(root)
    for path in files:
        with open(os.path.join(root, path), "rb") as f:
            data = f.read()
        if b"\0" in data[:4096]:
            continue
        for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
            found = MACHINE_PATH.search(line)
            if found or (here.count("/") > 1 and here in line):
                problems.append(f"{path}:{number}: an absolute path of a machine: {line.strip()[:100]}")
    return problems


def check_top_level(files):
    names = {p.split("/", 1)[0] for p in files}
    return [f"{n}: nothing else belongs at the top level" for n in sorted(names - TOP_LEVEL) if not n.startswith(".")]


def check(root, edges=None):
    files = sorted(files_of(root))
    problems = check_top_level(files) + check_includes(root, files) + check_paths(root, files)
    if edges is not None:
        problems += check_links(edges)
    return problems


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    edges = None
    if len(sys.argv) == 3:
        with open(sys.argv[2], encoding="utf-8") as f:
            edges = f.readlines()
    problems = check(sys.argv[1], edges)
    for problem in problems:
        print(problem)
    print(f"layering: {len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
