#!/bin/bash
# tools/package.sh [PRESET]: builds, and makes the .debs in build/PRESET/packages.
# tools/check/deb_smoke.sh tries them on a bare Debian.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-release}
./tools/build.sh "$preset"
rm -rf "build/$preset/packages"
(cd "build/$preset" && cpack --config CPackConfig.cmake)
for deb in "build/$preset"/packages/*.deb; do
  # dpkg's own figure counts a library again for each link to it.
  printf '%-40s %9d bytes, installed %9d, needs %s\n' "$(basename "$deb")" "$(stat -c %s "$deb")" \
    "$(dpkg-deb -c "$deb" | awk '{ sum += $3 } END { print sum }')" "$(dpkg-deb -f "$deb" Depends)"
done
