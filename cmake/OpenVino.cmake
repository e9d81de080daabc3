# Defines the imported target `openvino`: an OpenVINO of CMAKE_PREFIX_PATH if there is one, otherwise the PyPI wheel that
# tools/setup unpacked. Serves the build and, installed, the projects that find_package(dualdepth).
dualdepth_pinned_wheel(openvino openvino _wheel)
find_package(OpenVINO QUIET COMPONENTS Runtime)
if(NOT OpenVINO_FOUND)
  find_package(OpenVINO QUIET COMPONENTS Runtime PATHS ${_wheel}/cmake NO_DEFAULT_PATH)
endif()
if(NOT OpenVINO_FOUND)
  message(FATAL_ERROR "OpenVINO: expected ${_wheel}/cmake/OpenVINOConfig.cmake, found nothing; "
                      "run tools/setup, or name an OpenVINO in CMAKE_PREFIX_PATH")
endif()
message(STATUS "OpenVINO ${OpenVINO_VERSION}: ${OpenVINO_DIR}")
if(NOT TARGET openvino)
  add_library(openvino INTERFACE IMPORTED GLOBAL)
  target_link_libraries(openvino INTERFACE openvino::runtime)
endif()
