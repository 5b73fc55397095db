#!/usr/bin/env python3
"""Checks that no object compiled for a newer instruction set holds a function
that the linker could pick for code that runs everywhere.

  isa_hygiene.py BUILD_DIR [NM]

Such an object has `avx512` in its path. Its weak symbols (inline functions,
template instances) must all belong to a namespace whose name contains avx512:
of a weak symbol that several objects define the linker keeps any one.
"""
import os
import subprocess
import sys


def shared_symbols(nm_output):
    """The weak definitions in the output of `nm -C` that could be shared."""
    found = []
    for line in nm_output.splitlines():
        parts = line.split(None, 2)
        # "address type name": undefined symbols have no address.
        if len(parts) != 3 or parts[1] not in ("W", "V", "u"):
            continue
        name = parts[2]
        if "avx512" not in name and not name.startswith("DW.ref."):
            found.append(name)
    return found


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    build = sys.argv[1]
    nm = sys.argv[2] if len(sys.argv) == 3 else "nm"
    objects = []
    for folder, _, names in os.walk(build):
        objects += [os.path.join(folder, n) for n in names if n.endswith(".o")]
    objects = sorted(o for o in objects if "avx512" in os.path.relpath(o, build))
    if not objects:
        print("SKIPPED: no object compiled for AVX-512 in this build")
        return
    problems = 0
    for path in objects:
        run = subprocess.run([nm, "-C", path], stdout=subprocess.PIPE, text=True, check=True)
        for name in shared_symbols(run.stdout):
            print(f"{os.path.relpath(path, build)}: {name}")
            problems += 1
    print(f"isa hygiene: {len(objects)} objects, {problems} weak symbols that could be shared")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
