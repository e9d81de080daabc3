# `cmake --install`: the program, the rooms' libraries, the headers, and the package that find_package(dualdepth) finds.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

get_property(rooms GLOBAL PROPERTY DUALDEPTH_ROOMS)
list(TRANSFORM rooms PREPEND dualdepth_)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/dualdepth)

set_target_properties(dualdepth_cli PROPERTIES INSTALL_RPATH_USE_LINK_PATH TRUE)
install(TARGETS dualdepth_cli)
install(TARGETS dualdepth ${rooms} EXPORT dualdepth-targets)
install(EXPORT dualdepth-targets NAMESPACE dualdepth:: DESTINATION ${package_folder})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/dualdepth TYPE INCLUDE)

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/dualdepth-config.cmake.in
  ${PROJECT_BINARY_DIR}/dualdepth-config.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/dualdepth-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/dualdepth-config.cmake ${PROJECT_BINARY_DIR}/dualdepth-config-version.cmake
  ${PROJECT_SOURCE_DIR}/cmake/PinnedWheel.cmake ${PROJECT_SOURCE_DIR}/cmake/LibTorch.cmake ${PROJECT_SOURCE_DIR}/cmake/OpenVino.cmake
  ${PROJECT_SOURCE_DIR}/cmake/Onnx.cmake ${DUALDEPTH_DEPENDENCIES}
  DESTINATION ${package_folder})
