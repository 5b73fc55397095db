#!/bin/sh
# without.sh GRAPHC PROGRAM PATH: every pass of the compiler that a plan can be made
# without, left out alone, and all of them left out: the recorded cases in PATH pass
# as before, with the same bits. Folding batch norm is the one pass that rounds
# differently: where leaving out another leaves it less to fold, the bits are compared
# without it.
graphc=$1
program=$2
path=$3
. "$(dirname "$0")/digests.sh"
skip_without "$path"
check() {  # check NAME OPTIONS...
  name=$1
  shift
  digest "$name" "$program" "$path" "$@"
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
