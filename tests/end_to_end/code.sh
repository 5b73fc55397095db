#!/bin/sh
# code.sh MODELS_TEST ORACLE_TEST SHARED: clusters as machine code, in sessions and
# through plans in a process that has the runtime alone: the recorded cases pass, with
# the bits that the ops' bodies give; with an empty cache, from what it then holds, and
# with the code for the lesser CPU.
models=$1
oracle=$2
shared=$3
if [ ! -e "$shared" ]; then
  echo "SKIPPED: no recorded cases beside the project"
  exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
status=0
digest() {  # digest NAME PROGRAM PATH OPTIONS...: sets `found`
  name=$1
  program=$2
  path=$3
  shift 3
  "$program" "$shared/$path" --digest "$@" > out 2>&1 || { echo "$name: cases fail"; grep -a failed out | tail; status=1; }
  found=$(grep -a '^digest' out)
  [ -n "$found" ] || { echo "$name: no result"; tail -5 out; status=1; }
}
compare() {  # compare PROGRAM PATH
  export MILLRACE_CODE_CACHE="$scratch/$(basename "$2")"
  export MILLRACE_CODEGEN=off
  digest "$2, bodies" "$1" "$2"
  bodies=$found
  export MILLRACE_CODEGEN=on
  digest "$2, code" "$1" "$2" --plan
  [ "$found" = "$bodies" ] || { echo "$2, code: other bits"; status=1; }
  [ -n "$(ls "$MILLRACE_CODE_CACHE")" ] || { echo "$2: nothing was compiled"; status=1; }
  digest "$2, from the cache" "$1" "$2" --plan
  [ "$found" = "$bodies" ] || { echo "$2, from the cache: other bits"; status=1; }
  MILLRACE_ISA=avx2
  export MILLRACE_ISA
  digest "$2, AVX2" "$1" "$2" --plan
  unset MILLRACE_ISA
  [ "$found" = "$bodies" ] || { echo "$2, AVX2: other bits"; status=1; }
}
compare "$models" models/small
compare "$models" models/training
compare "$oracle" oracle/composite
exit $status
