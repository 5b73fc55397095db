#!/usr/bin/env python3
"""Where the bytes of a shared library are: by section, by folder, by template.

    tools/bench/library_size.py                          libmillrace_runtime.so of build/release
    tools/bench/library_size.py --under ops/reduce       of one family alone: what it costs
    tools/bench/library_size.py --library millrace       of another library

Links the library once more from its objects, with a map, to a file that is thrown
away. What the linker folded counts where its one copy came from.
"""
import argparse
import collections
import os
import re
import shlex
import subprocess
import sys
import tempfile


def run(*command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, **options).stdout


def objects_of(build, archive):
    """The objects that an archive is made of."""
    inputs = run('ninja', '-C', build, '-t', 'query', archive).split('input:', 1)[1].split('outputs:', 1)[0]
    return [line.strip() for line in inputs.splitlines() if re.fullmatch(r'    [^ |].*\.o', line)]


def link_map(build, library):
    target = next(f'lib/{name}' for name in sorted(os.listdir(os.path.join(build, 'lib')), key=len, reverse=True)
                  if name.startswith(f'lib{library}.so'))
    link = run('ninja', '-C', build, '-t', 'commands', target).strip().splitlines()[-1]
    command = []
    for word in shlex.split(link.removeprefix(': && ').removesuffix(' && :')):
        if word.startswith('-Wl,--whole-archive,'):
            for archive in word.split(',')[2:-1]:
                command += objects_of(build, os.path.relpath(archive, build))
        elif not re.fullmatch(r'lib/libmillrace_\w+\.a', word):
            command.append(word)
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, 'library')
        command[command.index('-o') + 1] = out
        subprocess.run([*command, f'-Wl,-Map={out}.map'], check=True, cwd=build)
        run('strip', out)
        with open(out + '.map', encoding='utf-8') as lines:
            return os.path.getsize(out), list(lines)


def place_of(path):
    """ops/CMakeFiles/millrace_ops.dir/nn/pool.cc.o is ops/nn/pool.cc."""
    return re.sub(r'CMakeFiles/[^/]+\.dir/', '', path).removesuffix('.o')


def template_of(name):
    """A function's name without arguments of templates and parameters."""
    name, depth, out = name.replace('(anonymous namespace)::', '').replace('operator<', 'operator-less'), 0, ''
    for c in name:
        depth += (c == '<') - (c == '>')
        if depth == 0 and c == '(':
            break
        if depth == 0 and c != '>':
            out += c
    return out.split(' ')[-1]


def show(title, sizes, most):
    print(f'\n{title}')
    for name, size in sizes.most_common(most):
        print(f'{size:10,}  {name}')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--build', default='build/release')
    parser.add_argument('--library', default='millrace_runtime')
    parser.add_argument('--under', default='', help='only what comes from files under this folder')
    parser.add_argument('--most', type=int, default=25, help='rows of a table')
    arguments = parser.parse_args()
    size, lines = link_map(arguments.build, arguments.library)
    entry = re.compile(r' *[0-9a-f]+ +[0-9a-f]+ +([0-9a-f]+) +\d+ (?: {8}(\S+):\((\S+)\)|(\S+))\n')
    sections, pieces = collections.Counter(), []
    for line in lines:
        if match := entry.fullmatch(line):
            if match[4]:
                sections[match[4]] += int(match[1], 16)
            else:
                pieces.append((place_of(match[2]), match[3], int(match[1], 16)))
    for unloaded in [name for name in sections if re.match(r'\.(symtab|strtab|shstrtab|debug|comment|t?bss|relro)', name)]:
        del sections[unloaded]
    texts = [piece for piece in pieces if piece[1].startswith('.text') and piece[0].startswith(arguments.under)]
    symbols = [re.sub(r'^\.text\.((unlikely|hot|startup)\.)?', '', section) for _, section, _ in texts]
    names = run('c++filt', input='\n'.join(symbols)).splitlines()
    folders, files, templates = (collections.Counter() for _ in range(3))
    for (place, _, bytes_), symbol, name in zip(texts, symbols, names):
        isa = ' (AVX-512)' if 'avx512' in symbol else ''
        folders['/'.join(place.split('/')[:2]) + isa] += bytes_
        files[place + isa] += bytes_
        templates[template_of(name)] += bytes_
    print(f'{size:10,}  stripped')
    if not arguments.under:
        show('sections', sections, 12)
        show('code by folder', folders, 99)
    show('code by file', files, arguments.most)
    show('code by template', templates, arguments.most)
    print(f'\n{sum(files.values()):10,}  of code' + (f' under {arguments.under}' if arguments.under else ''))


if __name__ == '__main__':
    sys.exit(main())
