"""completion_options.py SHELL: what the commands' --help lists and the script for SHELL does not complete."""
import re
import subprocess
import sys


def output(*arguments):
    return subprocess.run(["graphc", *arguments], check=True, capture_output=True, text=True).stdout


def commands():
    return re.findall(r"^  ([a-z]+) ", output("--help").split("Subcommands:")[1].split("\n\n")[0], re.MULTILINE)


def options(command):
    """Each option's names, and the words that it may take."""
    listed = output(command, "--help").split("Options:")[1].split("Examples:")[0]
    for names, what in re.findall(r"^  (-\S+)(?: (\S+))?", listed, re.MULTILINE):
        yield names.split(","), what.split("=")[0].split("|") if "|" in what else []


def completes(script, shell, command, name, words):
    if shell == "bash":
        listed = any(name in line.split("'")[1].split() for line in script.split("\n") if line.strip().startswith(f"{command}) words="))
        return listed and (not words or f"{command},{name}) words='{' '.join(words)}'" in script)
    if shell == "zsh":
        part = script.split(f"      {command})\n")[1].split(";;")[0]
        line = next((line for line in part.split("\n") if f"'*{name}[" in line), None)
        return line is not None and (not words or f"({' '.join(words)})" in line)
    spelled = f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"
    lines = [line for line in script.split("\n") if f'__fish_seen_subcommand_from {command}"' in line]
    line = next((line for line in lines if re.search(f"{spelled}( |$)", line)), None)
    return line is not None and (not words or f'-a "{" ".join(words)}"' in line)


shell = sys.argv[1]
script = output("completion", shell)
seen = 0
for command in commands():
    for names, words in [*options(command), (["--ops"], []), (["--limit"], [])]:
        for name in names:
            seen += 1
            if not completes(script, shell, command, name, words):
                print("missing:", command, name, words)
print(shell, "more than 50 options" if seen > 50 else f"{seen} options")
