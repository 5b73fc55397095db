#!/bin/sh
# recorded.sh PATH PROGRAM args...: PROGRAM PATH args, where PATH is there.
path=$1
program=$2
shift 2
if [ ! -e "$path" ]; then
  echo "SKIPPED: no recorded cases beside the project"
  exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" && "$program" "$path" "$@"
