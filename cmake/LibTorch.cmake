# Defines the target `libtorch`: an official LibTorch found through CMAKE_PREFIX_PATH if there is one, otherwise the
# PyPI wheel that tools/setup unpacked (its own TorchConfig asks for a CUDA toolkit, so the wheel gets a target here).
find_package(Torch QUIET CONFIG)
if(Torch_FOUND)
  add_library(libtorch INTERFACE)
  target_link_libraries(libtorch INTERFACE ${TORCH_LIBRARIES})
  set(DUALDEPTH_TORCH_INCLUDE_DIRS "")
  return()
endif()

if(DEFINED ENV{XDG_CACHE_HOME} AND NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
  set(_dualdepth_cache "$ENV{XDG_CACHE_HOME}/dualdepth")
else()
  set(_dualdepth_cache "$ENV{HOME}/.cache/dualdepth")
endif()
set(DUALDEPTH_LIBTORCH "${_dualdepth_cache}/libtorch-2.15.0/torch" CACHE PATH
    "Folder that holds LibTorch's include and lib")
if(NOT EXISTS "${DUALDEPTH_LIBTORCH}/lib/libtorch_cpu.so")
  message(FATAL_ERROR "LibTorch: expected ${DUALDEPTH_LIBTORCH}/lib/libtorch_cpu.so, found nothing; "
                      "run tools/setup, or name an official LibTorch in CMAKE_PREFIX_PATH")
endif()

# Only these three folders: the wheel's own fmt, google and dnnl would shadow the distribution's.
set(_links ${PROJECT_BINARY_DIR}/libtorch)
file(MAKE_DIRECTORY ${_links})
foreach(part ATen c10 torch)
  file(CREATE_LINK ${DUALDEPTH_LIBTORCH}/include/${part} ${_links}/${part} SYMBOLIC)
endforeach()
add_library(libtorch INTERFACE)
target_include_directories(libtorch SYSTEM INTERFACE
  $<BUILD_INTERFACE:${_links}> $<BUILD_INTERFACE:${_links}/torch/csrc/api/include>)
target_link_libraries(libtorch INTERFACE
  ${DUALDEPTH_LIBTORCH}/lib/libtorch_cpu.so ${DUALDEPTH_LIBTORCH}/lib/libc10.so)
