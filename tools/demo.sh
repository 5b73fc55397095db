#!/bin/bash
# Sets up, builds, and shows what the project does on the graphs in
# samples/data, which TensorFlow exported (samples/export).
set -euo pipefail
cd "$(dirname "$0")/.."
./tools/build.sh release
echo "== set up and built in $SECONDS s"
bin=build/release/bin
data=samples/data
out=build/release/demo
mkdir -p "$out"

# show WHAT COMMAND...: one part of the demo, with its command in the open.
show() {
  echo
  echo "== $1"
  shift
  echo "\$ ${*@Q}"
  local from=$EPOCHREALTIME
  "$@"
  echo "== $(((${EPOCHREALTIME/./} - ${from/./}) / 1000)) ms"
}

show "A graph built in C++, with its gradients and updates, and trained" \
  "$bin/quadratic_fit"
show "A network of two layers that learns to read drawn digits" \
  "$bin/mlp_digits"
show "Ops of a program's own, differentiated" \
  "$bin/custom_op"
show "A training graph: 1000 steps that fit a parabola, through Session" \
  "$bin/train_session" "$data/quadratic_fit.pb"
show "The same graph compiled to a plan" \
  "$bin/graphc" compile "$data/quadratic_fit.pb" -o "$out/fit.plan" \
  --signature 'init: target=init' --signature 'train: feed=x,y fetch=loss target=train' \
  --signature 'weights: fetch=w/read'
show "The plan trained in a process without a compiler" \
  "$bin/train_plan" "$out/fit.plan"
show "A convolutional network that reads digits, through Session" \
  "$bin/classify_session" "$data/digits_cnn.pb" "$data/digits_images.npy" "$data/digits_labels.npy"
show "The same on memory of the program's own, and through DLPack" \
  "$bin/zero_copy" "$data/digits_cnn.pb" "$data/digits_images.npy"
show "The same from Python, with ctypes alone" \
  /usr/bin/python3 samples/hosts/classify.py build/release/lib/libtensorflow.so.2 \
  "$data/digits_cnn.pb" "$data/digits_images.npy" "$data/digits_labels.npy"
show "The network compiled to a plan" \
  "$bin/graphc" compile "$data/digits_cnn.pb" -o "$out/digits.plan" --feed images --fetch digit,probabilities
show "The plan run on the same images" \
  "$bin/graphc" run "$out/digits.plan" --feed "images=$data/digits_images.npy" --out-dir "$out"
echo
echo "== everything took $SECONDS s"
