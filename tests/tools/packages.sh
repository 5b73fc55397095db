#!/bin/sh
# packages.sh CMAKE CPACK BUILD: components of the installed tree, pkg-config, and
# the .debs: what is in each, what each needs, and that nothing of this machine is
# left in them. Without compression, which says nothing here and takes a minute.
set -e
cmake=$1
cpack=$2
build=$3
command -v dpkg-shlibdeps > /dev/null || { echo "SKIPPED: no dpkg-shlibdeps"; exit 0; }
scratch=$build/packages_test
rm -rf "$scratch"
mkdir -p "$scratch"
fail() { echo "$*"; exit 1; }

"$cmake" --install "$build" --prefix "$scratch/runtime" --component runtime > /dev/null
found=$(cd "$scratch/runtime" && find . -name '*.so*' | sort | tr '\n' ' ')
case $found in
  "./lib/libmillrace_runtime.so."*" ./lib/libmillrace_runtime.so."*" ") ;;
  *) fail "component runtime: $found" ;;
esac

"$cmake" --install "$build" --prefix "$scratch/dev" --component dev > /dev/null
if command -v pkg-config > /dev/null; then
  flags=$(PKG_CONFIG_PATH=$scratch/dev/lib/pkgconfig pkg-config --cflags --libs --define-prefix millrace)
  case $flags in
    *"-I$scratch/dev/"*"include"*"-L$scratch/dev/"*"lib"*"-lmillrace"*) ;;
    *) fail "pkg-config: $flags" ;;
  esac
fi

cd "$scratch"
"$cpack" --config "$build/CPackConfig.cmake" -D CPACK_DEBIAN_COMPRESSION_TYPE=none \
  -D CPACK_OUTPUT_FILE_PREFIX="$scratch/debs" > cpack.log 2>&1 || { tail -20 cpack.log; exit 1; }
# PACKAGE FILE...: it has those, and what it needs has the words of $needs.
has() {
  deb=$(ls debs/"$1"_*.deb)
  dpkg-deb -c "$deb" > contents
  for file in $2; do grep -q "$file" contents || fail "$1 is without $file"; done
  depends=$(dpkg-deb -f "$deb" Depends)
  for word in $3; do
    case $depends in *"$word"*) ;; *) fail "$1 needs '$depends', expected $word" ;; esac
  done
}
# PACKAGE LIBRARY: whoever links it depends on the package.
shared() {
  dpkg-deb --ctrl-tarfile "$(ls debs/"$1"_*.deb)" | tar x -O ./shlibs | grep -q "^$2 $1 (>= " ||
    fail "$1 does not say who has $2"
}
# PACKAGE PART...: its copyright file has the notices of what others wrote of it.
notices() {
  package=$1
  shift
  for part; do
    test -e "/usr/share/doc/$part/copyright" || continue
    dpkg-deb --fsys-tarfile "$(ls debs/"$package"_*.deb)" | tar x -O "./usr/share/doc/$package/copyright" |
      grep -q "parts of $part:" || fail "$package is without the notice of $part"
  done
}
has millrace-runtime "./usr/lib/libmillrace_runtime.so.[0-9] ./usr/share/doc/millrace-runtime/copyright" "libc6 libstdc++6 zlib1g"
shared millrace-runtime "libmillrace_runtime [0-9.]*"
notices millrace-runtime libabsl-dev libprotozero-dev libxxhash-dev
case $depends in *millrace* | *libprotobuf* | *LLVM*) fail "the runtime's package needs $depends" ;; esac
grep -c '\.so' contents | grep -q '^2$' || fail "the runtime's package has other libraries: $(cat contents)"
has millrace "./usr/lib/libmillrace.so.[0-9] ./usr/lib/libmillrace_codegen.so ./usr/lib/libtensorflow.so.2" "libc6 libstdc++6 zlib1g"
case $depends in *libprotobuf* | *LLVM*) fail "the full package needs $depends" ;; esac
shared millrace "libmillrace [0-9.]*"
shared millrace "libtensorflow 2"
notices millrace libabsl-dev libprotozero-dev libxxhash-dev llvm-22-dev libmlir-22-dev
notices millrace-tools libcli11-dev nlohmann-json3-dev
has millrace-tools "./usr/bin/graphc" "millrace libprotobuf"
has millrace-dev "./usr/include/millrace/runtime/session/session.h ./usr/lib/libmillrace.so ./usr/share/doc/millrace-dev/examples/CMakeLists.txt ./usr/lib/libtensorflow.so ./usr/lib/pkgconfig/millrace.pc \
  ./usr/lib/pkgconfig/tensorflow.pc ./usr/include/tensorflow/c/c_api.h ./usr/include/tensorflow/c/eager/c_api.h \
  ./usr/lib/cmake/millrace/millraceConfig.cmake ./usr/include/millrace/ops/builder/math_ops.h" "millrace-runtime libabsl-dev"
for deb in debs/*.deb; do
  dpkg-deb -x "$deb" tree
  dpkg-deb -c "$deb" | awk '$2 != "root/root" { exit 1 }' || fail "$deb: files of somebody"
done
for file in tree/usr/lib/*.so.* tree/usr/lib/libmillrace_codegen.so tree/usr/bin/graphc; do
  test -L "$file" && continue
  if readelf -S "$file" | grep -q '\.symtab'; then fail "$file is not stripped"; fi
  if readelf -d "$file" | grep -i 'r.*path' | grep -v '\$ORIGIN'; then fail "$file has a search path"; fi
done
cd /
rm -rf "$scratch"
