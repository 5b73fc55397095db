# What `cmake --install` lays out, in components: runtime (the library that loads
# and runs plans), full (the one with the compiler, its code generator, and the C
# library), tools (graphc) and dev (headers, and what find_package and pkg-config
# read). Package.cmake makes a .deb of each.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# A minor version may change what a program sees, so it is part of the soname.
set(MILLRACE_SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
function(millrace_install_library target component)
  set_target_properties(${target} PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${MILLRACE_SOVERSION})
  install(TARGETS ${target}
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${component} NAMELINK_COMPONENT dev)
endfunction()

millrace_install_library(millrace_runtime runtime)
if(MILLRACE_COMPILER)
  millrace_install_library(millrace full)
  # Opened by name at run time, by the library beside it; the C library's name is
  # what its hosts look for.
  install(TARGETS millrace_codegen tensorflow LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT full)
  # What -ltensorflow of such hosts' builds looks for.
  file(CREATE_LINK libtensorflow.so.2 ${PROJECT_BINARY_DIR}/libtensorflow.so SYMBOLIC)
  install(FILES ${PROJECT_BINARY_DIR}/libtensorflow.so DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT dev)
  set_target_properties(graphc PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  install(TARGETS graphc RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tools)
endif()

# Every header of these folders; tools/check/public_headers.py compiles each.
set(list ${CMAKE_CURRENT_LIST_DIR}/public_folders.txt)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list})
file(STRINGS ${list} folders)
foreach(folder ${folders})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/millrace/${folder}
          COMPONENT dev FILES_MATCHING PATTERN "*.h")
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/runtime/c_api/c_api.h ${PROJECT_SOURCE_DIR}/runtime/c_api/eager.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/millrace/runtime/c_api COMPONENT dev)
# And by the names that sources of libtensorflow's hosts include.
function(millrace_host_header folder ours)
  set(file ${PROJECT_BINARY_DIR}/${folder}/c_api.h)
  file(CONFIGURE OUTPUT ${file} CONTENT "#include \"millrace/runtime/c_api/${ours}.h\"\n")
  install(FILES ${file} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/${folder} COMPONENT dev)
endfunction()
millrace_host_header(tensorflow/c c_api)
millrace_host_header(tensorflow/c/eager eager)
# The C interface by a short name, too: what programs in C include.
set(short ${PROJECT_BINARY_DIR}/generated/millrace/c_api.h)
file(CONFIGURE OUTPUT ${short} CONTENT "#include \"millrace/runtime/c_api/c_api.h\"\n")
install(FILES ${short} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/millrace COMPONENT dev)
install(DIRECTORY ${PROJECT_BINARY_DIR}/generated/millrace/ops/builder/
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/millrace/ops/builder COMPONENT dev FILES_MATCHING PATTERN "*.h")

# Programs to copy, with their data, which build by themselves.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/samples/ DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/millrace-dev/examples
        COMPONENT dev PATTERN export EXCLUDE PATTERN __pycache__ EXCLUDE)

set(config ${CMAKE_INSTALL_LIBDIR}/cmake/millrace)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/millraceConfig.cmake.in
  ${PROJECT_BINARY_DIR}/millraceConfig.cmake INSTALL_DESTINATION ${config}
  PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/millraceConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/millraceConfig.cmake ${PROJECT_BINARY_DIR}/millraceConfigVersion.cmake
        DESTINATION ${config} COMPONENT dev)

# millrace_pkgconfig(NAME LIBRARY WHAT REQUIRES): NAME.pc, which finds its prefix by itself.
function(millrace_pkgconfig name library what requires)
  file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  configure_file(${PROJECT_SOURCE_DIR}/tools/cmake/millrace.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)
endfunction()
millrace_pkgconfig(millrace-runtime millrace_runtime "loads and runs compiled dataflow graphs (C++20)" absl_function_ref)
if(MILLRACE_COMPILER)
  millrace_pkgconfig(millrace millrace "builds, compiles and runs dataflow graphs (C++20)" absl_function_ref)
  # What builds of the C library's hosts ask for.
  millrace_pkgconfig(tensorflow tensorflow "runs dataflow graphs behind TensorFlow's C interface" "")
endif()

include(Package)
