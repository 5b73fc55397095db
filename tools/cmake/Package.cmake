# The .debs: `cpack` in the build folder, or tools/package.sh. One for each component
# of Install.cmake; what each needs of the system is read off its files.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME millrace)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(MILLRACE_MAINTAINER "The Millrace authors <millrace@localhost>" CACHE STRING "Who answers for the .debs: NAME <MAIL>")
set(CPACK_PACKAGE_CONTACT ${MILLRACE_MAINTAINER})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_OUTPUT_FILE_PREFIX ${PROJECT_BINARY_DIR}/packages)
set(CPACK_STRIP_FILES ON)
set(CPACK_THREADS 0)
set(CPACK_VERBATIM_VARIABLES ON)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# graphc's library is in another of these packages.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/lib)
# So that packages of programs that use the libraries depend on these. A patch
# version changes nothing that they see.
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_COMPONENTS_ALL "")

# millrace_copyright(COMPONENT NAME PART...): our licence, and those of what others
# wrote that is part of the package's files: of their Debian packages, as they say it.
function(millrace_copyright component name)
  file(READ ${PROJECT_SOURCE_DIR}/LICENSE text)
  string(PREPEND text "Millrace. Copyright 2026 The Millrace authors.\n")
  foreach(part ${ARGN})
    set(theirs /usr/share/doc/${part}/copyright)
    if(EXISTS ${theirs})
      file(READ ${theirs} more)
      string(APPEND text "\n\n==== In the files of this package are parts of ${part}:\n\n${more}")
    else()
      message(STATUS "share/doc/${name}/copyright is without the notice of ${part}: this system has no ${theirs}")
    endif()
  endforeach()
  set(file ${PROJECT_BINARY_DIR}/copyright/${name})
  file(WRITE ${file} "${text}")
  install(FILES ${file} DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${name} COMPONENT ${component} RENAME copyright)
endfunction()

# millrace_package(COMPONENT NAME SECTION DEPENDS SUMMARY DESCRIPTION): a line of the
# description has 80 letters at most.
macro(millrace_package component name section depends summary description)
  list(APPEND CPACK_COMPONENTS_ALL ${component})
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name})
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section})
  set(CPACK_DEBIAN_${upper}_PACKAGE_DEPENDS "${depends}")
  set(CPACK_COMPONENT_${upper}_DESCRIPTION "${summary}\n${description}")
endmacro()

set(same "(= ${PROJECT_VERSION})")
millrace_package(runtime millrace-runtime libs ""
  "runtime of compiled dataflow graphs"
  "Loads and runs plans that graphc compiled of TensorFlow graphs.\nNo compiler inside.")
set(parts libabsl-dev libprotozero-dev libxxhash-dev)
millrace_copyright(runtime millrace-runtime ${parts})
set(libraries "millrace-runtime ${same}")
if(MILLRACE_COMPILER)
  millrace_package(full millrace libs ""
    "compiler and runtime for dataflow graphs"
    "Builds, differentiates, compiles and runs TensorFlow graphs in a host's\nprocess, from C++ or through a C library that is binary compatible with\nTensorFlow's.")
  millrace_copyright(full millrace ${parts} llvm-22-dev libmlir-22-dev)
  millrace_package(tools millrace-tools utils "millrace ${same}"
    "graphc: dataflow graphs from the command line"
    "Compiles, runs, measures, explains, converts and freezes TensorFlow graphs.")
  millrace_copyright(tools millrace-tools libabsl-dev libcli11-dev nlohmann-json3-dev)
  string(APPEND libraries ", millrace ${same}")
endif()
millrace_package(dev millrace-dev libdevel "${libraries}, libabsl-dev"
  "headers of Millrace"
  "What programs need to be built with Millrace: headers, CMake and pkg-config\nfiles.")
millrace_copyright(dev millrace-dev)
include(CPack)
