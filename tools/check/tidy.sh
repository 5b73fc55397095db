#!/bin/bash
# tools/check/tidy.sh [FILE...]: clang-tidy over the files, or over every source
# of the release build. Some ten minutes on two cores, so it is not part of
# tools/test.sh.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [[ ! -f build/release/compile_commands.json ]]; then
  echo "tidy: build first: tools/build.sh" >&2
  exit 1
fi
if (($# > 0)); then
  files=("$@")
else
  mapfile -t files < <(git ls-files 'proto/*.cc' 'devices/*.cc' 'ops/*.cc' 'compiler/*.cpp' 'runtime/*.cc' 'tools/*.cc' 'samples/*.cc')
fi
printf '%s\0' "${files[@]}" | xargs -0 -r -n 1 -P "$(nproc)" clang-tidy-22 -p build/release --quiet --warnings-as-errors='*'
