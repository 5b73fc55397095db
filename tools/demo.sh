#!/bin/bash
# Sets up, builds, and shows what the project does on the graphs in
# samples/data, which TensorFlow exported (samples/export).
set -euo pipefail
cd "$(dirname "$0")/.."
start=$SECONDS
./tools/build.sh release
echo "== built in $((SECONDS - start)) s"
bin=build/release/bin

# show WHAT COMMAND...: runs one part of the demo, with its command in the open.
show() {
  echo
  echo "== $1"
  shift
  echo "\$ $*"
  local from=$SECONDS
  "$@"
  echo "== took $((SECONDS - from)) s"
}
