#!/bin/sh
# code.sh MODELS_TEST ORACLE_TEST SHARED: clusters as machine code, in sessions and
# through plans in a process that has the runtime alone: the recorded cases pass, with
# the bits that the ops' bodies give; with an empty cache, from what it then holds, and
# with the code for the lesser CPU.
models=$1
oracle=$2
shared=$3
. "$(dirname "$0")/digests.sh"
skip_without "$shared"
compare() {  # compare PROGRAM PATH
  export MILLRACE_CODE_CACHE="$scratch/$(basename "$2")"
  export MILLRACE_CODEGEN=off
  digest "$2, bodies" "$1" "$shared/$2"
  bodies=$found
  export MILLRACE_CODEGEN=on
  digest "$2, code" "$1" "$shared/$2" --plan
  same "$2, code" "$bodies"
  [ -n "$(ls "$MILLRACE_CODE_CACHE")" ] || { echo "$2: nothing was compiled"; status=1; }
  digest "$2, from the cache" "$1" "$shared/$2" --plan
  same "$2, from the cache" "$bodies"
  MILLRACE_ISA=avx2
  export MILLRACE_ISA
  digest "$2, AVX2" "$1" "$shared/$2" --plan
  unset MILLRACE_ISA
  same "$2, AVX2" "$bodies"
}
compare "$models" models/small
compare "$models" models/training
compare "$oracle" oracle/composite
exit $status
