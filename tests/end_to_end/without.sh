#!/bin/sh
# without.sh GRAPHC PROGRAM PATH: every pass of the compiler that a plan can be made
# without, left out alone, and all of them left out: the recorded cases in PATH pass
# as before, with the same bits. Folding batch norm is the one pass that rounds
# differently: where leaving out another leaves it less to fold, the bits are compared
# without it.
graphc=$1
program=$2
path=$3
if [ ! -e "$path" ]; then
  echo "SKIPPED: no recorded cases beside the project"
  exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
status=0
check() {  # check NAME OPTIONS...: sets `found` to the digest
  name=$1
  shift
  "$program" "$path" --digest "$@" > out 2>&1 || { echo "$name: cases fail"; grep -a 'failed' out | tail -20; status=1; }
  found=$(grep -a '^digest' out)
  [ -n "$found" ] || { echo "$name: no result"; tail -5 out; status=1; }
}
same() {  # same NAME EXPECTED
  [ "$found" = "$2" ] || { echo "$1: other bits"; status=1; }
}
check "every pass"
all=$found
check "without fold-batch-norm" --without=fold-batch-norm
exact=$found
passes=$("$graphc" opt --list | sed -n '/required/!s,.*/,,p' | sort -u | grep -v '^fold-batch-norm$')
[ -n "$passes" ] || { echo "graphc opt --list names no pass"; exit 1; }
for pass in $passes; do
  check "without $pass" --without="$pass"
  if [ "$found" != "$all" ]; then
    check "without $pass and fold-batch-norm" --without="$pass,fold-batch-norm"
    same "without $pass and fold-batch-norm" "$exact"
  fi
done
check "without all" --without=all
same "without all" "$exact"
exit $status
