# dualdepth_pinned_wheel(GROUP PACKAGE RESULT): the folder into which tools/setup unpacks the wheel of PACKAGE that
# tools/dependencies.txt pins in GROUP. Serves the build and, installed, the projects that find_package(dualdepth).
function(dualdepth_pinned_wheel group package result)
  file(STRINGS ${DUALDEPTH_DEPENDENCIES} pin REGEX "^${group} +${package}==")
  string(REGEX MATCH "${package}==([^ ]+)" pin "${pin}")
  set(version ${CMAKE_MATCH_1})
  if(NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
    set(cache "$ENV{XDG_CACHE_HOME}")
  else()
    set(cache "$ENV{HOME}/.cache")
  endif()
  set(${result} "${cache}/dualdepth/${group}-${version}/${package}" PARENT_SCOPE)
endfunction()
