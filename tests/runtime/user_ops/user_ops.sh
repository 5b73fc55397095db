#!/bin/sh
# user_ops.sh BIN LIB: ops from shared objects, in a program, in graphc, and in a
# process that has the runtime alone; and what is wrong is said.
set -e
bin=$1
lib=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$bin/graph_with_ops" "$lib/libcube_ops.so" "$scratch/cube.plan" "$scratch/cube.pb" | tee "$scratch/session"
# cube of 2x, and the derivative of tanh(8x^3) + 8x^3 at 1: 24 (2 - tanh(8)^2).
grep -q '^cube:0 0x1p-3 -0x1p+0 0x1p+3$' "$scratch/session"
[ "$(sed -n 's/^first:0 //p' "$scratch/session")" = "$(sed -n 's/^deferred:0 //p' "$scratch/session")" ]

"$bin/plan_with_ops" "$scratch/cube.plan" "$lib/libcube_ops.so" > "$scratch/plan"
cmp "$scratch/session" "$scratch/plan"

says() {  # says TEXT COMMAND...: the command fails and says so
  text=$1
  shift
  if "$@" > "$scratch/out" 2> "$scratch/err"; then
    echo "expected an error of: $*"
    exit 1
  fi
  grep -q -- "$text" "$scratch/err" || { echo "expected '$text', found:"; cat "$scratch/err"; exit 1; }
}
says "'Cube'" "$bin/plan_with_ops" "$scratch/cube.plan"
says 'other definitions.*Cube' "$bin/plan_with_ops" "$scratch/cube.plan" "$lib/libscaled_cube_ops.so"
says 'expected ops built as millrace-ops-1, found millrace-ops-0' "$bin/plan_with_ops" "$scratch/cube.plan" "$lib/libold_ops.so"
says 'no_such_file.so' "$bin/plan_with_ops" "$scratch/cube.plan" "$scratch/no_such_file.so"
echo 'no library' > "$scratch/text.so"
says 'text.so' "$bin/plan_with_ops" "$scratch/cube.plan" "$scratch/text.so"
says 'MILLRACE_OPS_LIBRARY' "$bin/plan_with_ops" "$scratch/cube.plan" "$lib/libmillrace_runtime.so"
says "op 'Cube' is defined twice" "$bin/graphc" ops --ops "$lib/libcube_ops.so" --ops "$lib/libscaled_cube_ops.so"
says 'Cube' "$bin/graphc" opt "$scratch/cube.pb" --feed x --fetch loss

"$bin/graphc" compile "$scratch/cube.pb" --ops "$lib/libcube_ops.so" -o "$scratch/again.plan" --feed x \
  --fetch cube,loss,first,second,deferred
"$bin/plan_with_ops" "$scratch/again.plan" "$lib/libcube_ops.so" > "$scratch/again"
cmp "$scratch/session" "$scratch/again"
"$bin/graphc" ops "$scratch/cube.pb" | grep -q '^Cube *missing'
"$bin/graphc" ops "$scratch/cube.pb" --ops "$lib/libcube_ops.so" | grep -q 'all ops are known'
