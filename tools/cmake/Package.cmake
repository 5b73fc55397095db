# The .debs: `cpack` in the build folder, or tools/package.sh. One for each component
# of Install.cmake; what each needs of the system is read off its files.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME millrace)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The Millrace authors <millrace@invalid>")
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
set(CPACK_COMPONENTS_ALL "")

# millrace_package(COMPONENT NAME SECTION DEPENDS SUMMARY DESCRIPTION)
macro(millrace_package component name section depends summary description)
  list(APPEND CPACK_COMPONENTS_ALL ${component})
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name})
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section})
  set(CPACK_DEBIAN_${upper}_PACKAGE_DEPENDS "${depends}")
  set(CPACK_COMPONENT_${upper}_DESCRIPTION "${summary}\n${description}")
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION share/doc/${name} COMPONENT ${component} RENAME copyright)
endmacro()

set(same "(= ${PROJECT_VERSION})")
millrace_package(runtime millrace-runtime libs ""
  "runtime of compiled dataflow graphs"
  "Loads and runs plans that graphc compiled of TensorFlow graphs. No compiler inside.")
set(libraries "millrace-runtime ${same}")
if(MILLRACE_COMPILER)
  millrace_package(full millrace libs ""
    "compiler and runtime for dataflow graphs"
    "Builds, differentiates, compiles and runs TensorFlow graphs in a host's process, from C++ or through a C library that is binary compatible with TensorFlow's.")
  millrace_package(tools millrace-tools utils "millrace ${same}"
    "graphc: dataflow graphs from the command line"
    "Compiles, runs, measures, explains, converts and freezes TensorFlow graphs.")
  string(APPEND libraries ", millrace ${same}")
endif()
millrace_package(dev millrace-dev libdevel "${libraries}, libabsl-dev"
  "headers of Millrace"
  "What programs need to be built with Millrace: headers, CMake and pkg-config files.")
include(CPack)
