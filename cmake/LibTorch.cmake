# Defines the imported target `libtorch`: an official LibTorch of CMAKE_PREFIX_PATH if there is one, otherwise the PyPI
# wheel that tools/setup unpacked. Neither's own TorchConfig is used: it asks for a CUDA toolkit even of a CPU program.
# Serves the build and, installed, the projects that find_package(dualdepth).
set(_minimum 2.11)
dualdepth_pinned_wheel(libtorch torch _wheel)
string(REPLACE ":" ";" _prefixes "$ENV{CMAKE_PREFIX_PATH}")
unset(_libtorch)
foreach(prefix IN LISTS CMAKE_PREFIX_PATH _prefixes _wheel)
  if(NOT DEFINED _libtorch AND EXISTS "${prefix}/lib/libtorch_cpu.so")
    set(_libtorch "${prefix}")
  endif()
endforeach()
if(NOT DEFINED _libtorch)
  message(FATAL_ERROR "LibTorch: expected ${_wheel}/lib/libtorch_cpu.so, found nothing; "
                      "run tools/setup, or name an official LibTorch in CMAKE_PREFIX_PATH")
endif()

set(_header ${_libtorch}/include/torch/headeronly/version.h)
set(_found "older than ${_minimum}")
if(EXISTS ${_header})
  file(STRINGS ${_header} _numbers REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
  string(REGEX REPLACE "[^0-9]+" "." _found "${_numbers}")
  string(REGEX REPLACE "^\\." "" _found "${_found}")
endif()
if(NOT _found VERSION_GREATER_EQUAL _minimum)
  message(FATAL_ERROR "LibTorch in ${_libtorch}: expected ${_minimum} or newer, got ${_found}")
endif()
message(STATUS "LibTorch ${_found}: ${_libtorch}")

# Only these four folders: LibTorch's own copies of fmt, google and dnnl would shadow the distribution's.
set(_links ${CMAKE_BINARY_DIR}/libtorch)
file(MAKE_DIRECTORY ${_links})
foreach(part ATen c10 caffe2 torch)
  file(CREATE_LINK ${_libtorch}/include/${part} ${_links}/${part} SYMBOLIC)
endforeach()
if(NOT TARGET libtorch)
  add_library(libtorch INTERFACE IMPORTED GLOBAL)
  target_include_directories(libtorch SYSTEM INTERFACE ${_links} ${_links}/torch/csrc/api/include)
  target_link_libraries(libtorch INTERFACE
    ${_libtorch}/lib/libtorch_cpu.so ${_libtorch}/lib/libc10.so)
  # ATen's parallel_for is a template whose loop runs on one thread where it is compiled without OpenMP.
  target_compile_options(libtorch INTERFACE -fopenmp)
  target_link_options(libtorch INTERFACE -fopenmp)
endif()
