#!/bin/sh
# hosts.sh LANGUAGE BUILD SOURCE: the sample of another host in SOURCE/samples/hosts,
# built as its first lines say with the compilers of the system, does what the
# README says. 'SKIPPED: why' where the system has no such language.
set -e
language=$1
build=$2
source=$3
hosts=$source/samples/hosts
data=$source/samples/data
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export LD_LIBRARY_PATH="$build/lib"

skip() {
  echo "SKIPPED: $1"
  exit 0
}
has() {
  command -v "$1" > /dev/null
}
warnings='-Wall -Wextra -Wconversion -pedantic -Werror'
library="-I $build/include -L $build/lib -l:libtensorflow.so.2"

case $language in
  c)
    has gcc || skip 'no gcc here'
    gcc -std=c11 -O1 $warnings "$hosts/classify.c" -o "$scratch/classify" $library
    ;;
  c++)
    has g++ || skip 'no g++ here'
    g++ -std=c++17 -O1 $warnings "$hosts/train.cc" -o "$scratch/train" $library
    "$scratch/train" "$data/quadratic_fit.pb" | tee "$scratch/found"
    tail -1 "$scratch/found" | tr -d '[],' | awk '$1 == "w" { d = $3 - 5; e = $4; f = $5 - 3
      ok = d * d < 0.0004 && e * e < 0.0004 && f * f < 0.0004 } END { exit !ok }'
    exit
    ;;
  go)
    has go && has gcc || skip 'no go with gcc here'
    export CGO_ENABLED=1 GO111MODULE=off GOFLAGS= GOCACHE="$build/go_cache" GOPATH="$scratch/path" CC=gcc
    export CGO_CFLAGS="-I $build/include" CGO_LDFLAGS="-L $build/lib -l:libtensorflow.so.2"
    go vet "$hosts/classify.go"
    go build -o "$scratch/classify" "$hosts/classify.go"
    ;;
  python)
    # The system's own: another one on the path may lack the package.
    for python in /usr/bin/python3 python3; do
      "$python" -c 'import numpy' 2> /dev/null && break
    done
    "$python" -c 'import numpy' 2> /dev/null || skip 'no python3 with numpy here'
    "$python" -B "$hosts/classify.py" "$build/lib/libtensorflow.so.2" "$data/digits_cnn.pb" \
      "$data/digits_images.npy" "$data/digits_labels.npy" | tee "$scratch/found"
    grep -q "^images of another size: .*'images:0'" "$scratch/found"
    grep -q '^19[0-9] of 200\|^200 of 200' "$scratch/found"
    exit
    ;;
esac
"$scratch/classify" "$data/digits_cnn.pb" "$data/digits_images.npy" "$data/digits_labels.npy" | tee "$scratch/found"
grep -q '^19[0-9] of 200\|^200 of 200' "$scratch/found"
if "$scratch/classify" "$data/digits_cnn.pb" "$data/digits_labels.npy" "$data/digits_labels.npy" 2> "$scratch/error"; then
  echo 'expected an error: labels are no images'
  exit 1
fi
cat "$scratch/error"
