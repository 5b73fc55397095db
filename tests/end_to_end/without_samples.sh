#!/bin/sh
# without_samples.sh GRAPHC DATA: as without.sh, with the graphs of the samples, which
# are always there.
set -e
. "$(dirname "$0")/passes.sh"
graphc=$1
data=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
status=0
digits() {  # digits FOLDER PASS...
  mkdir "$scratch/$1"
  folder=$scratch/$1
  shift
  for pass in "$@"; do set -- "$@" --disable-pass "$pass"; shift; done
  "$graphc" run "$data/digits_cnn.pb" --feed images="$data/digits_images.npy" --fetch digit,probabilities \
    --out-dir "$folder" "$@" > /dev/null
}
digits every
digits exact $(echo "$inexact" | tr , ' ')
passes=$(exact_passes "$graphc")
[ -n "$passes" ]
for pass in $passes; do
  digits "$pass" "$pass"
  cmp "$scratch/every/probabilities_0.npy" "$scratch/$pass/probabilities_0.npy" || { echo "without $pass"; status=1; }
done
digits all all
cmp "$scratch/exact/probabilities_0.npy" "$scratch/all/probabilities_0.npy" || { echo "without all"; status=1; }
cmp "$scratch/every/digit_0.npy" "$scratch/all/digit_0.npy" || status=1

# A pass that a plan needs cannot be left out, nor one that is not there.
for pass in order-steps no-such-pass; do
  if digits "bad-$pass" "$pass" 2> "$scratch/error"; then
    echo "graphc ran without $pass"
    status=1
  fi
  grep -q "$pass" "$scratch/error" || status=1
done
exit $status
