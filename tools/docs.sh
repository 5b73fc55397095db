#!/bin/bash
# tools/docs.sh: the reference of the public headers as pages to read without a network,
# in build/docs/html. Needs doxygen, which no other script does.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v doxygen > /dev/null; then
  echo "docs: expected doxygen; install the package of that name" >&2
  exit 1
fi
inputs="README.md runtime/c_api/c_api.h"
while read -r folder; do
  inputs+=" $folder"
done < tools/cmake/public_folders.txt
# The typed functions of all ops are written by the build.
generated=build/release/generated/millrace/ops/builder
[[ -d $generated ]] && inputs+=" $generated"
mkdir -p build/docs
(cat tools/docs/Doxyfile && echo "INPUT = $inputs" && echo "OUTPUT_DIRECTORY = build/docs") | doxygen -
echo "build/docs/html/index.html"
