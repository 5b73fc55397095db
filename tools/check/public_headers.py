#!/usr/bin/env python3
"""Compiles every public header alone with g++ -std=c++20, and checks that none
of them brings in protobuf, MLIR, LLVM or CUDA.

  public_headers.py ROOT BUILD [COMPILER]

BUILD is a build of ROOT: its include/ holds the link `millrace`, its generated/
what opgen wrote. A public header is a .h file in one of the folders that
tools/cmake/public_folders.txt lists, in the tree or generated, or the header of the C interface, which is compiled as C too.
"""
import concurrent.futures
import os
import subprocess
import sys

# Beside this script, because what is installed is the same list.
LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cmake", "public_folders.txt")
C_HEADER = "runtime/c_api/c_api.h"
FORBIDDEN = ["/google/protobuf/", "/mlir/", "/llvm/", "/cuda"]


def compile_header(compiler, build, header, language):
    standard = "c++20" if language == "c++" else "c11"
    run = subprocess.run(
        [compiler, f"-std={standard}", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-psabi", "-Werror", "-march=x86-64-v3",
         "-fsyntax-only", "-H", "-I", os.path.join(build, "include"), "-I", os.path.join(build, "generated"),
         "-x", language, "-"],
        input=f'#include "millrace/{header}"\n', stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    problems = []
    if run.returncode != 0:
        errors = [l for l in run.stderr.splitlines() if not l.startswith(".")]
        problems.append(f"{header} does not compile alone as {language}:\n" + "\n".join(errors[:20]))
    for line in run.stderr.splitlines():
        if line.startswith(".") and any(f in line for f in FORBIDDEN):
            problems.append(f"{header} brings in {line.lstrip('. ')}")
            break
    return problems


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    root, build = sys.argv[1:3]
    compiler = sys.argv[3] if len(sys.argv) == 4 else "g++"
    jobs = []
    generated = os.path.join(build, "generated", "millrace")
    with open(LIST, encoding="utf-8") as f:
        folders = f.read().split()
    for folder in folders:
        names = []
        for path in os.path.join(root, folder), os.path.join(generated, folder):
            names += os.listdir(path) if os.path.isdir(path) else []
        jobs += [(f"{folder}/{name}", "c++") for name in sorted(names) if name.endswith(".h")]
    if not any(header.endswith("_ops.h") for header, _ in jobs):
        sys.exit(f"{generated}: expected the builder's generated headers, found none; build first")
    jobs += [(C_HEADER, "c"), (C_HEADER, "c++")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda job: compile_header(compiler, build, *job), jobs))
    problems = [p for result in results for p in result]
    for problem in problems:
        print(problem)
    print(f"public headers: {len(jobs)} compiled, {len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
