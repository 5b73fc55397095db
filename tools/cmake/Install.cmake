# What `cmake --install` lays out: the shared libraries, the public headers (also
# the generated ones), graphc, and what find_package(millrace) reads.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS millrace_runtime LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(MILLRACE_COMPILER)
  install(TARGETS millrace millrace_codegen tensorflow LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  set_target_properties(graphc PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  install(TARGETS graphc RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

# Every header of these folders; tools/check/public_headers.py compiles each.
set(list ${CMAKE_CURRENT_LIST_DIR}/public_folders.txt)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${list})
file(STRINGS ${list} folders)
foreach(folder ${folders})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/millrace/${folder}
          FILES_MATCHING PATTERN "*.h")
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/runtime/c_api/c_api.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/millrace/runtime/c_api)
install(DIRECTORY ${PROJECT_BINARY_DIR}/generated/millrace/ops/builder/
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/millrace/ops/builder FILES_MATCHING PATTERN "*.h")

set(config ${CMAKE_INSTALL_LIBDIR}/cmake/millrace)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/millraceConfig.cmake.in
  ${PROJECT_BINARY_DIR}/millraceConfig.cmake INSTALL_DESTINATION ${config}
  PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/millraceConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/millraceConfig.cmake ${PROJECT_BINARY_DIR}/millraceConfigVersion.cmake
        DESTINATION ${config})
