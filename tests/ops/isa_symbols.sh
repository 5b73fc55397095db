# isa_symbols.sh NM object...: fails where an object compiled for AVX-512 defines
# a symbol that the linker might take for code that must run everywhere: a weak
# one outside of the namespace of its instruction set.
nm=$1
shift
[ $# -gt 0 ] || { echo "no objects given"; exit 1; }
status=0
for object in "$@"; do
  shared=$("$nm" -C --defined-only "$object" | grep -E '^[0-9a-f]+ [WVu] ' | grep -v avx512)
  if [ -n "$shared" ]; then
    echo "$object:"
    echo "$shared"
    status=1
  fi
done
exit $status
