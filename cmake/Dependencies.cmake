# Third-party parts. All but LibTorch come from the distribution.
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(OpenCV REQUIRED COMPONENTS core imgproc imgcodecs)
find_package(Threads REQUIRED)
# Decode pictures, because OpenCV's own decoders accept truncated files and write to standard error.
find_library(DUALDEPTH_TURBOJPEG turbojpeg REQUIRED)
find_library(DUALDEPTH_SPNG spng REQUIRED)
find_library(DUALDEPTH_ZIP zip REQUIRED)  # its own CMake package asks for programs that Debian packs apart
find_library(DUALDEPTH_HIGHWAY hwy REQUIRED)  # SIMD for any instruction set
find_library(DUALDEPTH_ISAL isal REQUIRED)  # inflates depth PNGs, CRC-32C of event files
if(NOT DUALDEPTH_TENSOR_FREE)
  find_package(CLI11 REQUIRED)
  set(DUALDEPTH_DEPENDENCIES ${PROJECT_SOURCE_DIR}/tools/dependencies.txt)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${DUALDEPTH_DEPENDENCIES})
  include(PinnedWheel)
  include(LibTorch)
  include(OpenVino)
  include(Onnx)
endif()
