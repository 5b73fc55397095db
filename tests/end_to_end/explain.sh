#!/bin/sh
# explain.sh GRAPHC MODELS: what graphc explain says of whole networks.
graphc=$1
models=$2
if [ ! -e "$models" ]; then
  echo "SKIPPED: no recorded cases beside the project"
  exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
status=0
explain() {  # explain NAME: the options after it; the text is in $scratch/text
  name=$1
  shift
  "$graphc" explain "$@" --codegen off > "$scratch/text" 2>&1 || { echo "$name: $(tail -1 "$scratch/text")"; status=1; }
}
has() { grep -q -e "$1" "$scratch/text" || { echo "$name: expected '$1'"; status=1; }; }
lacks() { grep -e "$1" "$scratch/text" && { echo "$name: expected no '$1'"; status=1; }; }
at_most() {  # at_most N PATTERN
  found=$(grep -c -e "$2" "$scratch/text")
  [ "$found" -le "$1" ] || { echo "$name: expected at most $1 '$2', found $found"; status=1; }
}

# A transformer: each layer norm, softmax and gelu is within a cluster.
explain bert_tiny "$models/small/bert_tiny/graph.pb" --feed input_ids,input_mask,segment_ids --fetch Identity,Identity_1
has '^step [0-9]*: _Cluster'
lacks '^step [0-9]*: \(Mean\|Rsqrt\|SquaredDifference\|Erf\|Tanh\|Softmax\)'
at_most 55 '^step '

# Convolutions with batch norm behind them: none is left, nor a product by its factors.
explain mobilenet_v2 "$models/small/mobilenet_v2_035_96/graph.pb" --feed image --fetch Identity
lacks '^step [0-9]*: \(FusedBatchNorm\|Mul\|AddV2\|Sub\|Rsqrt\|_Cluster\)'
at_most 60 '^step '
explain resnet20 "$models/small/resnet20_cifar/graph.pb" --feed image --fetch Identity
lacks '^step [0-9]*: \(FusedBatchNorm\|Mul\|AddV2\|Sub\|Rsqrt\|_Cluster\)'
at_most 25 '^step '

# A training step of three variables.
explain quadratic "$models/training/quadratic_adam_ref/graph.pb" --feed x,y --fetch loss --target train
has '(VariableV2): variable$'
has '^train/Assign_1 (Assign): fused into step [0-9]*, _UpdateMany (fuse-updates), with train/Assign$'
at_most 25 '^step '
exit $status
