#!/bin/bash
# tools/build.sh [PRESET [TARGET...]]: sets up, configures and builds into
# build/PRESET (release where none is named).
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-release}
shift || true
./tools/setup.sh
# So that a second checkout finds what the first has compiled.
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$PWD} CCACHE_NOHASHDIR=${CCACHE_NOHASHDIR:-1}
cmake --preset "$preset"
if (($# > 0)); then
  cmake --build --preset "$preset" --target "$@"
else
  cmake --build --preset "$preset"
fi
