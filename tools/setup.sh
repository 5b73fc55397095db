#!/bin/bash
# Installs the Debian packages that are missing and says what each is for. Asks
# nothing; does nothing, in an instant, where all are there. Needs root or sudo
# only where something is missing.
set -euo pipefail

# package | what it is for
packages='
clang-22            | the compiler of the project
lld-22              | the linker: relinks in a quarter of a second
libclang-rt-22-dev  | sanitizers and libFuzzer
llvm-22-dev         | code generation, static libraries
llvm-22-tools       | FileCheck, lit and nm for the tests
libmlir-22-dev      | the compiler infrastructure under compiler/
mlir-22-tools       | TableGen for the dialects and passes
clang-format-22     | tools/check/format.sh
clang-tidy-22       | tools/check/tidy.sh
g++                 | the standard library; public headers are compiled with it as well
cmake               | the build
ninja-build         | the build
ccache              | builds that were done once are not done again
git                 | the list of files for the checks
python3             | the checks, and lit
libabsl-dev         | FunctionRef, InlinedVector
libprotozero-dev    | reading and writing the wire format
libprotobuf-dev     | tests and tools: the codec is compared with generated classes
protobuf-compiler   | as above
libxxhash-dev       | digests of plans
libzstd-dev         | asked for by the CMake files of LLVM
zlib1g-dev          | compressed archives of arrays; asked for by the CMake files of LLVM, too
libxml2-dev         | asked for by the CMake files of LLVM
libz3-dev           | asked for by the CMake files of LLVM
libcli11-dev        | command lines of the tools
nlohmann-json3-dev  | tests: records of the models
libzip-dev          | tests: archives of recorded arrays
catch2              | tests
golang-go           | tests: the sample for hosts in Go
python3-numpy       | tests: the sample for hosts in Python
dpkg-dev            | packages: what their files need of the system
file                | packages: which of their files are programs
pkg-config          | tests: that what is installed is found
libopenblas-dev     | a separately loaded provider of matrix products
'

missing=()
while IFS='|' read -r package reason; do
  package=${package// /}
  [[ -n $package ]] || continue
  if [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
    missing+=("$package")
    printf 'missing: %-20s %s\n' "$package" "$reason"
  fi
done <<<"$packages"
if ((${#missing[@]} == 0)); then
  exit 0
fi

if ! command -v apt-get >/dev/null; then
  echo "setup: this system has no apt-get; install the above by its own means" >&2
  exit 1
fi
as_root=()
if ((EUID != 0)); then
  if ! sudo -n true 2>/dev/null; then
    echo "setup: root is needed: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo -n)
fi
export DEBIAN_FRONTEND=noninteractive
install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends -o Dpkg::Use-Pty=0)
"${as_root[@]}" apt-get update -q
"${as_root[@]}" "${install[@]}" "${missing[@]}"
echo "setup: installed ${#missing[@]} packages"
