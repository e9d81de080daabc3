# Read by ctest before it lists tests: adds one entry for each suite of the test program PROGRAM, so that a suite shares
# what it sets up and LibTorch is loaded once for it. Each entry writes RESULTS/ROOM.SUITE.xml (GoogleTest's JSON has no
# reason of a skip), which tools/test_results reads. Set by the caller: PROGRAM, ROOM, RESULTS, PROPERTIES.
if(NOT EXISTS ${PROGRAM})
  add_test(${ROOM}.not_built ${PROGRAM})
  return()
endif()
execute_process(COMMAND ${PROGRAM} --gtest_list_tests OUTPUT_VARIABLE listed COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE "[ \t]*#[^\n]*" "" listed "${listed}")
string(REGEX MATCHALL "[^\n]+" lines "${listed}")
set(suites "")
foreach(line IN LISTS lines)
  # "Prefix/Suite/0." of typed and parametrised tests is the suite "Suite".
  if(line MATCHES "^([A-Za-z0-9_]+/)?([A-Za-z0-9_]+)(/[0-9]+)?\\.$")
    list(APPEND suites ${CMAKE_MATCH_2})
  endif()
endforeach()
list(REMOVE_DUPLICATES suites)
foreach(suite IN LISTS suites)
  set(name ${ROOM}.${suite})
  add_test(${name} ${PROGRAM} --gtest_filter=${suite}.*:*/${suite}.*:${suite}/*:*/${suite}/*
           --gtest_output=xml:${RESULTS}/${name}.xml)
  set_tests_properties(${name} PROPERTIES ${PROPERTIES})
endforeach()
