#!/usr/bin/env python3
"""Runs the sessions of a README as its reader would: readme_session.py README
FOLDER. In ```console blocks a line "$ COMMAND" is run in FOLDER, the lines below
it are what it prints; "..." stands for anything, a line of it alone for any
lines."""
import re
import subprocess
import sys


def commands_of(text):
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.S | re.M):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, _, printed = part.partition("\n")
            yield command, printed


def pattern_of(printed):
    out = ""
    for line in printed.splitlines(True):
        if line == "...\n":
            out += r"(?:.*\n)*"
        else:
            out += ".*".join(re.escape(p) for p in line.split("..."))
    return out


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        commands = list(commands_of(f.read()))
    code, wrong = 0, 0
    for command, printed in commands:
        run = subprocess.run(["bash", "-c", f"(exit {code}); {command}"], cwd=sys.argv[2], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, check=False)
        code = run.returncode
        if not re.fullmatch(pattern_of(printed), run.stdout):
            print(f"$ {command}\nprinted\n{run.stdout}expected\n{printed}")
            wrong += 1
    print(f"{len(commands)} commands, {wrong} not as the README says")
    return 1 if wrong or not commands else 0


sys.exit(main())
