#!/bin/sh
# samples.sh BIN DATA: the programs of the README do what it says.
set -e
bin=$1
data=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

near() {  # near LINE: "w = [a, b, c]" within 0.02 of [5, 0, 3]
  echo "$1"
  echo "$1" | tr -d '[],' | awk '$1 == "w" {
    d = $3 - 5; e = $4; f = $5 - 3
    ok = d < 0.02 && d > -0.02 && e < 0.02 && e > -0.02 && f < 0.02 && f > -0.02
  } END { exit !ok }'
}
near "$("$bin/train_session" "$data/quadratic_fit.pb" | tail -1)"
"$bin/graphc" compile "$data/quadratic_fit.pb" -o "$scratch/fit.plan" \
  --signature 'init: target=init' \
  --signature 'train: feed=x,y fetch=loss target=train' \
  --signature 'weights: fetch=w/read'
near "$("$bin/train_plan" "$scratch/fit.plan" | tail -1)"
near "$("$bin/quadratic_fit" | tail -1)"
"$bin/mlp_digits" | tee "$scratch/found"
grep -q '^9[0-9][0-9] of 1000\|^1000 of 1000' "$scratch/found"

"$bin/custom_op" | tee "$scratch/found"
grep -q '^  gradient *-2.00   3.00   1.00  -4.00$' "$scratch/found"
grep -q "node 'MyOuter_1' (MyOuter): input 0: expected rank 1" "$scratch/found"

"$bin/classify_session" "$data/digits_cnn.pb" "$data/digits_images.npy" "$data/digits_labels.npy" | tee "$scratch/found"
grep -q '^19[0-9] of 200\|^200 of 200' "$scratch/found"
"$bin/zero_copy" "$data/digits_cnn.pb" "$data/digits_images.npy" | tee "$scratch/found"
grep -q 'of 200 images add up to 200.0$' "$scratch/found"
grep -q 'the same memory, yes; the first digit is a 1$' "$scratch/found"
"$bin/graphc" compile "$data/digits_cnn.pb" -o "$scratch/digits.plan" --feed images --fetch digit,probabilities
mkdir "$scratch/plan" "$scratch/graph"
"$bin/graphc" run "$scratch/digits.plan" --feed images="$data/digits_images.npy" --out-dir "$scratch/plan"
"$bin/graphc" run "$data/digits_cnn.pb" --feed images="$data/digits_images.npy" --fetch digit,probabilities \
  --out-dir "$scratch/graph"
cmp "$scratch/plan/digit_0.npy" "$scratch/graph/digit_0.npy"
cmp "$scratch/plan/probabilities_0.npy" "$scratch/graph/probabilities_0.npy"
"$bin/graphc" print "$scratch/digits.plan" | grep -q Conv2D
"$bin/graphc" print "$data/digits_cnn.pb" | grep -q Conv2D
"$bin/graphc" ops "$data/digits_cnn.pb" | grep -q 'all ops are known'
"$bin/graphc" opt "$data/digits_cnn.pb" --to=import --feed images --fetch digit | grep -q graph.Conv2D
