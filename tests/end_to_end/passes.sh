# Read by the scripts that leave out passes.
# Those that round differently, and say so.
inexact=fold-batch-norm
# exact_passes GRAPHC: the others that a plan can be made without
exact_passes() {
  "$1" opt --list | sed -n '/required/!s,.*/,,p' | sort -u | grep -v -x "$(echo "$inexact" | sed 's/,/\\|/g')"
}
