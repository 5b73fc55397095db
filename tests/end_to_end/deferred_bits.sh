#!/bin/sh
# deferred_bits.sh ORACLE_TEST SHARED: the recorded gradients, expanded by the
# compiler, have the bits of those that were expanded when the graph was built.
oracle=$1
shared=$2
if [ ! -e "$shared/oracle" ]; then
  echo "SKIPPED: no recorded cases beside the project"
  exit 0
fi
digest() {
  "$oracle" "$shared/oracle/ops" "$shared/oracle/composite" "$shared/oracle/control" --digest "$@" | grep '^digest'
}
expanded=$(digest)
deferred=$(digest --deferred)
if [ -z "$expanded" ] || [ "$expanded" != "$deferred" ]; then
  echo "expanded: $expanded, deferred: $deferred"
  exit 1
fi
