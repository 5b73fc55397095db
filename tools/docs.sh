#!/bin/bash
# tools/docs.sh: the reference of the public headers as pages to read without a network,
# in build/docs/html. Needs doxygen, which no other script does.
# --check: makes none, but fails where a comment refers to what is not there.
set -euo pipefail
cd "$(dirname "$0")/.."
check=
[[ ${1-} == --check ]] && check=1
if [[ -n $check ]] && ! command -v doxygen > /dev/null; then
  echo "SKIPPED: doxygen is not installed"
  exit 0
fi
if ! command -v doxygen > /dev/null; then
  echo "docs: expected doxygen; install the package of that name" >&2
  exit 1
fi
inputs="README.md runtime/c_api/c_api.h runtime/c_api/eager.h"
while read -r folder; do
  inputs+=" $folder"
done < tools/cmake/public_folders.txt
# The typed functions of all ops are written by the build.
generated=build/release/generated/millrace/ops/builder
[[ -d $generated ]] && inputs+=" $generated"
settings=$(cat tools/docs/Doxyfile && echo "INPUT = $inputs")
if [[ -n $check ]]; then
  pages=$(mktemp -d)
  trap 'rm -rf "$pages"' EXIT
  # The README's links to files that are no pages are not meant for it.
  doxygen - <<< "${settings/README.md /}"$'\nUSE_MDFILE_AS_MAINPAGE =\nWARN_AS_ERROR = FAIL_ON_WARNINGS\nOUTPUT_DIRECTORY = '"$pages"
  exit
fi
mkdir -p build/docs
doxygen - <<< "$settings"$'\nOUTPUT_DIRECTORY = build/docs'
echo "build/docs/html/index.html"
