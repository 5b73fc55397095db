#!/bin/sh
# installed.sh CMAKE BUILD SAMPLES COMPILER: installs BUILD into a folder of its
# own, builds SAMPLES against that with COMPILER, as a user would, and runs two.
set -e
cmake=$1
build=$2
samples=$3
compiler=$4
scratch=$build/installed
rm -rf "$scratch"
mkdir -p "$scratch"
"$cmake" --install "$build" --prefix "$scratch/prefix" > "$scratch/install.log"
"$cmake" -G Ninja -S "$samples" -B "$scratch/samples" -DCMAKE_PREFIX_PATH="$scratch/prefix" \
  -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Release > "$scratch/configure.log"
"$cmake" --build "$scratch/samples" --parallel 2
# What is in the source tree or the build is not what was found.
if grep "$build/include\|$build/lib/" "$scratch/samples/build.ninja"; then
  echo "the samples were built against the tree"
  exit 1
fi
"$scratch/samples/quadratic_fit" | tail -1 | tee "$scratch/found"
tr -d '[],' < "$scratch/found" | awk '$1 == "w" { d = $3 - 5; e = $4; f = $5 - 3
  ok = d * d < 0.0004 && e * e < 0.0004 && f * f < 0.0004 } END { exit !ok }'
"$scratch/prefix/bin/graphc" ops | head -1
# A program in C, as the samples of other hosts are built.
printf '#include <millrace/c_api.h>\n#include <stdio.h>\nint main(void) { puts(TF_Version()); return 0; }\n' > "$scratch/version.c"
${CC:-gcc} -std=c11 "$scratch/version.c" -o "$scratch/version" -I "$scratch/prefix/include" -L "$scratch/prefix/lib" \
  -ltensorflow
LD_LIBRARY_PATH="$scratch/prefix/lib" "$scratch/version"
# And one as it is written for libtensorflow.
sed 's/millrace.c_api.h/tensorflow\/c\/eager\/c_api.h/' "$scratch/version.c" > "$scratch/theirs.c"
${CC:-gcc} -std=c11 "$scratch/theirs.c" -o "$scratch/theirs" -I "$scratch/prefix/include" -L "$scratch/prefix/lib" \
  -ltensorflow
LD_LIBRARY_PATH="$scratch/prefix/lib" "$scratch/theirs"

# The tree may be moved: programs are configured, built and run where it is then.
mv "$scratch/prefix" "$scratch/moved"
"$scratch/moved/bin/graphc" --version
mkdir "$scratch/project"
cat > "$scratch/project/CMakeLists.txt" << 'END'
cmake_minimum_required(VERSION 3.25)
project(project CXX)
find_package(millrace 0.1 REQUIRED COMPONENTS ${WANTED})
add_executable(program program.cc)
target_link_libraries(program millrace::runtime)
END
cat > "$scratch/project/program.cc" << 'END'
#include "millrace/runtime/executor/runner.h"
int main() { return millrace::Runner::FromFile("/no/plan").status().code() == millrace::Code::kNotFound ? 0 : 1; }
END
configure() {  # COMPONENT...
  rm -rf "$scratch/project/build"
  "$cmake" -S "$scratch/project" -B "$scratch/project/build" -DCMAKE_PREFIX_PATH="$scratch/moved" \
    -DCMAKE_CXX_COMPILER="$compiler" "-DWANTED=$*" > "$scratch/project.log" 2>&1
}
configure runtime || { cat "$scratch/project.log"; exit 1; }
"$cmake" --build "$scratch/project/build" > "$scratch/build.log"
"$scratch/project/build/program"
# What is missing is said: a word that is no component, a library that is not there.
said() { tr -s ' \n' ' ' < "$scratch/project.log" | grep -q "$1" || { cat "$scratch/project.log"; exit 1; }; }
if configure nonsense; then echo "component nonsense was found"; exit 1; fi
said "there is no component 'nonsense', expected runtime or session"
rm "$scratch"/moved/lib/libmillrace.so*
if configure 'runtime;session'; then echo "component session was found"; exit 1; fi
said "component session is not installed"
rm -rf "$scratch"
