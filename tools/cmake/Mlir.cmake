# LLVM and MLIR 22 from Debian's packages, static: only the archives that the
# compiler needs, their headers as system headers.
list(PREPEND CMAKE_PREFIX_PATH /usr/lib/llvm-22)
find_package(MLIR 22.1 REQUIRED CONFIG)
list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)
separate_arguments(MILLRACE_LLVM_DEFINITIONS NATIVE_COMMAND ${LLVM_DEFINITIONS})

add_library(millrace_mlir_headers INTERFACE)
target_include_directories(millrace_mlir_headers SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
target_compile_definitions(millrace_mlir_headers INTERFACE ${MILLRACE_LLVM_DEFINITIONS})

# The packages' archives name LLVM's shared library as what they need; the
# static libraries behind it are these, so that nothing of LLVM is asked for
# at run time.
get_directory_property(imported IMPORTED_TARGETS)
foreach(target ${imported})
  if(target MATCHES "^MLIR")
    get_target_property(needs ${target} INTERFACE_LINK_LIBRARIES)
    if(needs)
      list(TRANSFORM needs REPLACE "^LLVM$" "LLVMSupport")
      set_target_properties(${target} PROPERTIES INTERFACE_LINK_LIBRARIES "${needs}")
    endif()
  endif()
endforeach()

# What millrace_compiler links; their own dependencies follow from the packages.
add_library(millrace_mlir INTERFACE)
target_link_libraries(millrace_mlir INTERFACE millrace_mlir_headers MLIRIR MLIRFuncDialect MLIRPass)
