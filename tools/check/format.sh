#!/bin/bash
# tools/check/format.sh [--fix]: whether every C++ file is as clang-format would
# write it; --fix writes it so.
set -euo pipefail
cd "$(dirname "$0")/../.."
how=(--dry-run --Werror)
[[ ${1:-} == --fix ]] && how=(-i)
git ls-files -z '*.cc' '*.cpp' '*.h' '*.c' | xargs -0 -r clang-format-22 "${how[@]}"
