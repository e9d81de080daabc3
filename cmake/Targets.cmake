# One helper each for a room's library, a program and a test.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release)
endif()
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers are only cached when ccache is told that their macros and times do not matter; paths below the
  # checkout are taken relative, so that all checkouts share what one of them compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE_PROGRAM})
endif()
# -Wrestrict: g++ 12 warns of its own std::string code (GCC bug 105651). -Wmaybe-uninitialized: under -fsanitize it warns of
# its own std::regex code (GCC bug 105562); the release build keeps it.
set(DUALDEPTH_WARNINGS -Wall -Wextra -Werror $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
if(DUALDEPTH_TENSOR_FREE)
  list(APPEND DUALDEPTH_WARNINGS $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endif()

# What only arranges calls (the trainer's loop, the program's verbs, reports) and the tests are optimised lightly: they
# compile in half the time.
set(DUALDEPTH_LIGHT $<$<CONFIG:Release>:-O1>)

include(PrecompiledHeaders)
if(NOT DUALDEPTH_TENSOR_FREE)
  dualdepth_precompile(dualdepth_torch_header HEADERS <torch/types.h> LINK libtorch)
  dualdepth_precompile(dualdepth_light_torch_header HEADERS <torch/types.h> LINK libtorch OPTIONS ${DUALDEPTH_LIGHT})
endif()

# dualdepth_compile(TARGET LIGHT TORCH): warnings, light optimisation where LIGHT is true, and where TORCH is true
# LibTorch's precompiled header for the sources that use it.
function(dualdepth_compile target light torch)
  set(header dualdepth_torch_header)
  target_compile_options(${target} PRIVATE ${DUALDEPTH_WARNINGS})
  if(light)
    target_compile_options(${target} PRIVATE ${DUALDEPTH_LIGHT})
    set(header dualdepth_light_torch_header)
  endif()
  if(torch)
    dualdepth_reuse_header(${target} ${header})
  endif()
endfunction()

# dualdepth_room(NAME [TORCH] [LIGHT] [DEPENDS ROOM...] [LINK LIBRARY...]): the static library dualdepth_NAME from src/NAME.
function(dualdepth_room name)
  cmake_parse_arguments(ARG "TORCH;LIGHT" "" "DEPENDS;LINK" ${ARGN})
  if(ARG_TORCH AND DUALDEPTH_TENSOR_FREE)
    return()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cpp ${PROJECT_SOURCE_DIR}/src/${name}/*/*.cpp)
  set(target dualdepth_${name})
  if(NOT sources)
    file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/empty_room.cpp CONTENT "")
    set(sources ${PROJECT_BINARY_DIR}/empty_room.cpp)
  endif()
  add_library(${target} STATIC ${sources})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} LINKER_LANGUAGE CXX)
  add_library(dualdepth::${name} ALIAS ${target})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
  list(TRANSFORM ARG_DEPENDS PREPEND dualdepth_)
  target_link_libraries(${target} PUBLIC ${ARG_DEPENDS} ${ARG_LINK})
  if(ARG_TORCH)
    target_link_libraries(${target} PUBLIC libtorch)
  endif()
  dualdepth_compile(${target} "${ARG_LIGHT}" "${ARG_TORCH}")
  set_property(GLOBAL APPEND PROPERTY DUALDEPTH_ROOMS ${name})
endfunction()

# dualdepth_test(ROOM [TORCH] [LINK LIBRARY...] [APART SUITE...]): one test program from tests/ROOM/*_test.cpp. Sources that
# do without LibTorch are compiled with the tests' own precompiled header, the others with LibTorch's. Suites that take
# seconds stand in APART, so that they run beside others.
function(dualdepth_test room)
  cmake_parse_arguments(ARG "TORCH" "" "LINK;APART" ${ARGN})
  if(ARG_TORCH AND DUALDEPTH_TENSOR_FREE)
    return()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${room}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  set(target ${room}_test)
  set(libraries dualdepth_${room} ${ARG_LINK} dualdepth_testing GTest::gmock GTest::gtest_main)
  set(torch_sources "")
  foreach(source IN LISTS sources)
    dualdepth_reaches_torch(${source} reaches)
    if(reaches)
      list(APPEND torch_sources ${source})
    endif()
  endforeach()
  list(REMOVE_ITEM sources ${torch_sources})
  add_executable(${target} ${torch_sources})
  if(sources)
    add_library(${target}_light OBJECT ${sources})
    target_link_libraries(${target}_light PRIVATE ${libraries})
    dualdepth_compile(${target}_light TRUE FALSE)
    target_precompile_headers(${target}_light REUSE_FROM dualdepth_test_header)
    target_link_libraries(${target} PRIVATE ${target}_light)
  endif()
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX)
  target_link_libraries(${target} PRIVATE ${libraries})
  dualdepth_compile(${target} TRUE "${ARG_TORCH}")
  dualdepth_suites(${target} ${room} "${ARG_APART}" TIMEOUT 900)  # on a machine that does other work, too
endfunction()

# dualdepth_suites(TARGET ROOM APART PROPERTY VALUE...): the ctest entries of a test program, one for each suite in APART
# (or all: ALL) and one for the others.
function(dualdepth_suites target room apart)
  set(results ${PROJECT_BINARY_DIR}/test_results)
  file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${target}_suites.cmake CONTENT
       "set(PROGRAM $<TARGET_FILE:${target}>)\nset(ROOM ${room})\nset(RESULTS ${results})\nset(APART \"${apart}\")\nset(PROPERTIES ${ARGN})
include(${PROJECT_SOURCE_DIR}/cmake/TestSuites.cmake)\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${CMAKE_CURRENT_BINARY_DIR}/${target}_suites.cmake)
endfunction()

# dualdepth_messages(ROOM/FILE.proto TARGET): compiles protobuf messages into TARGET; its sources include
# "ROOM/FILE.pb.h". The target TARGET_messages makes no more than these.
function(dualdepth_messages file target)
  set(folder ${PROJECT_BINARY_DIR}/messages)
  file(MAKE_DIRECTORY ${folder})
  protobuf_generate(LANGUAGE cpp PROTOS ${file} OUT_VAR generated PROTOC_OUT_DIR ${folder})
  set_source_files_properties(${generated} PROPERTIES COMPILE_OPTIONS -w SKIP_PRECOMPILE_HEADERS ON)
  target_sources(${target} PRIVATE ${generated})
  add_custom_target(${target}_messages DEPENDS ${generated})
  target_include_directories(${target} SYSTEM PRIVATE ${folder})
endfunction()
