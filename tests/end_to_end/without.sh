#!/bin/sh
# without.sh GRAPHC PROGRAM PATH: every pass of the compiler that a plan can be made
# without, left out alone, and all of them left out: the recorded cases in PATH pass
# as before, with the same bits. Passes that round differently ($inexact): where leaving out
# another leaves them less to do, the bits are compared without them.
graphc=$1
program=$2
path=$3
. "$(dirname "$0")/passes.sh"
. "$(dirname "$0")/digests.sh"
skip_without "$path"
check() {  # check NAME OPTIONS...
  name=$1
  shift
  digest "$name" "$program" "$path" "$@"
}
check "every pass"
all=$found
check "without $inexact" --without="$inexact"
exact=$found
passes=$(exact_passes "$graphc")
[ -n "$passes" ] || { echo "graphc opt --list names no pass"; exit 1; }
for pass in $passes; do
  check "without $pass" --without="$pass"
  if [ "$found" != "$all" ]; then
    check "without $pass and $inexact" --without="$pass,$inexact"
    same "without $pass and $inexact" "$exact"
  fi
done
check "without all" --without=all
same "without all" "$exact"
exit $status
