# How every room builds: one set of flags, one way to make a library, a program
# and a test.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/lib)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(MILLRACE_CCACHE ccache)
if(MILLRACE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${MILLRACE_CCACHE})
endif()

# Every include is spelled millrace/<room>/<file>.h, here and where it is
# installed: one symbolic link makes the tree look so.
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/include)
if(NOT EXISTS ${PROJECT_BINARY_DIR}/include/millrace)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/include/millrace SYMBOLIC)
endif()

add_library(millrace_flags INTERFACE)
target_include_directories(millrace_flags INTERFACE ${PROJECT_BINARY_DIR}/include)
# The floor is x86-64-v3; a multiply and an add are fused only where fma says so.
target_compile_options(millrace_flags INTERFACE
  -march=x86-64-v3 -ffp-contract=off -fno-math-errno -Wall -Wextra -Wno-unused-parameter
  $<$<CONFIG:Release>:-ffunction-sections;-fdata-sections>)
target_compile_options(millrace_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-psabi>)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_link_options(millrace_flags INTERFACE --ld-path=/usr/lib/llvm-22/bin/ld.lld)
endif()
target_link_options(millrace_flags INTERFACE LINKER:--gc-sections LINKER:--as-needed)
if(MILLRACE_SANITIZE)
  string(REPLACE ";" "," sanitizers "${MILLRACE_SANITIZE}")
  # Code that is made at run time has no signature in front of it to compare with.
  target_compile_options(millrace_flags INTERFACE -fsanitize=${sanitizers} -fno-sanitize=function -fno-omit-frame-pointer
                         -fno-sanitize-recover=all)
  target_link_options(millrace_flags INTERFACE -fsanitize=${sanitizers})
endif()
# Fuzzers find their way by the coverage of everything they call.
if(MILLRACE_FUZZERS)
  target_compile_options(millrace_flags INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(millrace_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
# Files that must catch (the codec, the edge of user callbacks) link this.
add_library(millrace_exceptions INTERFACE)
target_compile_options(millrace_exceptions INTERFACE -fexceptions)

find_package(Threads REQUIRED)
find_package(absl REQUIRED)
find_package(ZLIB REQUIRED)

# millrace_library(NAME SRCS file... [DEPS target...] [EXCEPTIONS file...])
# An internal static library; its objects end up in the shared libraries of runtime/.
function(millrace_library name)
  cmake_parse_arguments(A "" "" "SRCS;DEPS;EXCEPTIONS" ${ARGN})
  add_library(${name} STATIC ${A_SRCS} ${A_EXCEPTIONS})
  target_link_libraries(${name} PUBLIC millrace_flags ${A_DEPS})
  set_source_files_properties(${A_SRCS} PROPERTIES COMPILE_OPTIONS -fno-exceptions)
endfunction()

# millrace_edges(file.cc...): the calls of these files are a library's edge. Small
# allocations throw where memory is short; as nothing behind the edge is made to be
# unwound, such an exception must not reach a host that catches it. Without unwind
# tables it ends there, and the process with it, with the C++ library's message.
function(millrace_edges)
  set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_OPTIONS -fno-unwind-tables -fno-asynchronous-unwind-tables)
endfunction()

# millrace_program(NAME SRCS file... [DEPS target...]): a program in bin/.
function(millrace_program name)
  cmake_parse_arguments(A "" "" "SRCS;DEPS" ${ARGN})
  add_executable(${name} ${A_SRCS})
  target_link_libraries(${name} PRIVATE millrace_flags ${A_DEPS})
endfunction()
