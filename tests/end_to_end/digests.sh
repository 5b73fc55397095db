# Read by the scripts that compare the bits of recorded cases.
status=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
# skip_without FOLDER
skip_without() {
  if [ ! -e "$1" ]; then
    echo "SKIPPED: no recorded cases beside the project"
    exit 0
  fi
}
digest() {  # digest NAME PROGRAM PATH OPTIONS...: runs the cases, sets `found`
  name=$1
  program=$2
  path=$3
  shift 3
  "$program" "$path" --digest "$@" > out 2>&1 || { echo "$name: cases fail"; grep -a failed out | tail -20; status=1; }
  found=$(grep -a '^digest' out)
  [ -n "$found" ] || { echo "$name: no result"; tail -5 out; status=1; }
}
same() {  # same NAME EXPECTED
  [ "$found" = "$2" ] || { echo "$1: other bits"; status=1; }
}
