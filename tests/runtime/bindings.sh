#!/bin/sh
# bindings.sh LIBRARY SOURCES USAGE: of the functions that each binding of USAGE
# (c_api_usage.tsv) links against, how many there are and how many do more here than say
# UNIMPLEMENTED (later.cc has those that do not). All are exported, and the README of the
# C interface has this table.
set -eu
library=$1
sources=$2
usage=$3
if [ ! -f "$usage" ]; then
  echo "SKIPPED: there is no $usage"
  exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
nm -D --defined-only "$library" | awk '{ sub(/@@.*/, "", $3); print $3 }' | sort > "$folder/exported"
grep -o 'TF_[A-Za-z0-9]*(' "$sources/later.cc" | tr -d '(' | sort -u > "$folder/later"
tail -n +2 "$usage" | cut -f 1 | sort > "$folder/used"
missing=$(comm -23 "$folder/used" "$folder/exported")
if [ -n "$missing" ]; then
  echo "not exported: $missing"
  exit 1
fi
echo "exported: $(wc -l < "$folder/exported"), of which $(wc -l < "$folder/later") say UNIMPLEMENTED"
awk -F '\t' -v later="$folder/later" '
  BEGIN { while ((getline name < later) > 0) not_here[name] = 1 }
  FNR > 1 {
    n = split($3, who, ",")
    for (i = 1; i <= n; ++i) {
      ++bound[who[i]]
      if (!($1 in not_here)) ++works[who[i]]
    }
  }
  END { for (w in bound) printf "| %s | %d | %d |\n", w, bound[w], works[w] }' "$usage" | sort > "$folder/table"
cat "$folder/table"
while read -r line; do
  if ! grep -q -F "$line" "$sources/README.md"; then
    echo "README.md of the C interface says otherwise"
    exit 1
  fi
done < "$folder/table"
