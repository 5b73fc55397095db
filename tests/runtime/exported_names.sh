#!/bin/sh
# exported_names.sh LIBRARY KIND: the library exports what its kind may, needs no
# library that it must not, and is not too large.
#   tensorflow: only TF_ and TFE_ names, all under the version node "tensorflow"
#   millrace:   only names of namespace millrace, none of its inner namespaces
#   runtime:    the same, at most 7.4 MB stripped (tools/bench/library_size.py says where the bytes are)
set -u
library=$1
kind=$2
failed=0
fail() {
  echo "$*"
  failed=1
}

needed=$(ldd "$library" | grep -E -i 'libLLVM|libMLIR|libprotobuf|libclang|libabsl')
[ -z "$needed" ] || fail "needs what it must not: $needed"

names=$(nm -D --defined-only "$library" | awk '$2 != "A" { print $3 }')
[ -n "$names" ] || fail "exports nothing"
case $kind in
  tensorflow)
    other=$(echo "$names" | grep -v -E '^TFE?_[A-Za-z0-9_]+@@tensorflow$')
    [ -z "$other" ] || fail "exports besides TF_ and TFE_ names under the node: $(echo "$other" | head -5)"
    for name in TF_Version TF_NewStatus TF_GetCode TF_Message TF_NewGraph TF_NewImportGraphDefOptions \
      TF_GraphImportGraphDef TF_NewSessionOptions TF_SetConfig TF_NewSession TF_GraphOperationByName \
      TF_AllocateTensor TF_TensorData TF_TensorByteSize TF_TensorType TF_DeleteTensor TF_CloseSession \
      TF_DeleteSession TF_SessionRun; do
      echo "$names" | grep -q "^$name@@tensorflow$" || fail "does not export $name"
    done
    readelf -d "$library" | grep -q 'SONAME.*\[libtensorflow.so.2\]' || fail "its soname is not libtensorflow.so.2"
    ;;
  *)
    # A template's instance is named by its result first, so look anywhere.
    other=$(echo "$names" | c++filt | grep -v -F 'millrace::')
    [ -z "$other" ] || fail "exports what is not of namespace millrace: $(echo "$other" | head -5)"
    inner=$(echo "$names" | c++filt | grep -E '^millrace::(exec|compiler|families|codec)::')
    [ -z "$inner" ] || fail "exports inner names: $(echo "$inner" | head -5)"
    ;;
esac
if [ "$kind" = runtime ]; then
  stripped=$(mktemp)
  strip -o "$stripped" "$library"
  size=$(wc -c < "$stripped")
  rm -f "$stripped"
  echo "stripped: $size bytes"
  [ "$size" -lt 7400000 ] || fail "expected at most 7.4 MB stripped: see tools/bench/library_size.py"
fi
exit $failed
