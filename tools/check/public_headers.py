#!/usr/bin/env python3
"""Compiles every public header alone with g++ -std=c++20, and checks that none
of them brings in protobuf, MLIR, LLVM or CUDA.

  public_headers.py ROOT INCLUDE_DIR [COMPILER]

INCLUDE_DIR holds the link `millrace` (the build's include folder). A public
header is a .h file in one of the folders below, or the header of the C
interface, which is compiled as C too.
"""
import concurrent.futures
import os
import subprocess
import sys

FOLDERS = [
    "proto/value", "proto/plan", "devices/api", "ops/registry", "ops/graph", "ops/kernel", "compiler/api",
    "runtime/session", "runtime/executor", "runtime/plan",
]
C_HEADER = "runtime/c_api/c_api.h"
FORBIDDEN = ["/google/protobuf/", "/mlir/", "/llvm/", "/cuda"]


def compile_header(compiler, include, header, language):
    standard = "c++20" if language == "c++" else "c11"
    run = subprocess.run(
        [compiler, f"-std={standard}", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-psabi", "-Werror", "-march=x86-64-v3",
         "-fsyntax-only", "-H", "-I", include, "-x", language, "-"],
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
    root, include = sys.argv[1:3]
    compiler = sys.argv[3] if len(sys.argv) == 4 else "g++"
    jobs = []
    for folder in FOLDERS:
        path = os.path.join(root, folder)
        for name in sorted(os.listdir(path)) if os.path.isdir(path) else []:
            if name.endswith(".h"):
                jobs.append((f"{folder}/{name}", "c++"))
    jobs += [(C_HEADER, "c"), (C_HEADER, "c++")]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda job: compile_header(compiler, include, *job), jobs))
    problems = [p for result in results for p in result]
    for problem in problems:
        print(problem)
    print(f"public headers: {len(jobs)} compiled, {len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
