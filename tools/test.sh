#!/bin/bash
# tools/test.sh [--quick]: sets up, builds and runs every test: the release
# build, then the address sanitizer's with 20 seconds of each fuzzer, and the thread
# sanitizer's. --quick: the release build alone. Closes with the sums over all of
# them; the exit code is 0 only if nothing failed.
set -uo pipefail
cd "$(dirname "$0")/.."

quick=false
case ${1:-} in
  "") ;;
  --quick) quick=true ;;
  *)
    echo "usage: tools/test.sh [--quick]" >&2
    exit 2
    ;;
esac

passed=0
failed=0
skipped=0
finish() {
  echo "$passed passed, $failed failed, $skipped skipped"
  ((failed == 0))
  exit
}

# Builds a preset; a build that fails counts as one failure.
build() {
  echo "== build: $1"
  local start=$SECONDS
  if ! ./tools/build.sh "$1"; then
    echo "FAILED: the $1 build"
    ((failed += 1))
    return 1
  fi
  echo "== build: $1 took $((SECONDS - start)) s"
}

# The figure of an attribute in ctest's report.
figure() {
  sed -n "s/^[[:space:]]*$2=\"\([0-9]*\)\".*/\1/p" "$1" | head -n 1
}

# Runs the suite of a preset and adds its figures.
suite() {
  echo "== tests: $1"
  local start=$SECONDS report=$PWD/build/$1/tests.xml
  rm -f "$report"
  ctest --test-dir "build/$1" --output-on-failure --no-tests=error -j "$(nproc)" --output-junit "$report" \
    > "build/$1/tests.log" 2>&1
  local code=$?
  # What failed and what was skipped, with the reasons; the log has everything.
  sed -n '/tests passed/,$p; /^[0-9]*: SKIPPED: /p' "build/$1/tests.log"
  local all bad left_out
  all=$(figure "$report" tests) bad=$(figure "$report" failures) left_out=$(figure "$report" skipped)
  if [[ -z $all || -z $bad || -z $left_out ]] || ((code != 0 && bad == 0)); then
    tail -n 50 "build/$1/tests.log"
    echo "FAILED: the $1 suite did not run to its end"
    ((failed += 1))
    return
  fi
  if ((bad > 0)); then
    grep -v -e ' Passed ' -e '^ *Start ' "build/$1/tests.log" | head -n 400
  fi
  ((passed += all - bad - left_out))
  ((failed += bad))
  ((skipped += left_out))
  echo "== tests: $1 took $((SECONDS - start)) s"
}

build release && suite release
if ! $quick; then
  export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
  # For the programs that tests start; test programs have their own defaults.
  export ASAN_OPTIONS=${ASAN_OPTIONS:-allocator_may_return_null=1:detect_container_overflow=0:allow_user_poisoning=0}
  export TSAN_OPTIONS=${TSAN_OPTIONS:-allocator_may_return_null=1}
  build asan && suite asan
  build tsan && suite tsan
fi
finish
