#!/bin/sh
# same_bits.sh MODELS_TEST ORACLE_TEST SHARED: results have the same bits with 1,
# 2 and 4 threads, and with AVX2 and AVX-512 (where the machine has it).
models=$1
oracle=$2
shared=$3
if [ ! -e "$shared/models" ]; then
  echo "SKIPPED: no recorded cases beside the project"
  exit 0
fi
digests() {
  "$models" "$shared/models/small" "$shared/models/training" --digest "$@" | grep '^digest'
  "$oracle" "$shared/oracle/ops" --digest "$@" | grep '^digest'
}
expected=$(MILLRACE_ISA=avx2 digests --threads=1)
status=0
compare() {
  if [ "$2" != "$expected" ]; then
    echo "$1: the bits differ from those of AVX2 on one thread"
    status=1
  fi
}
compare "AVX2, 2 threads" "$(MILLRACE_ISA=avx2 digests --threads=2)"
compare "AVX2, 4 threads" "$(MILLRACE_ISA=avx2 digests --threads=4)"
if grep -q avx512vl /proc/cpuinfo; then
  compare "AVX-512, 1 thread" "$(MILLRACE_ISA=avx512 digests --threads=1)"
  compare "AVX-512, 4 threads" "$(MILLRACE_ISA=avx512 digests --threads=4)"
fi
[ -n "$expected" ] || status=1
exit $status
