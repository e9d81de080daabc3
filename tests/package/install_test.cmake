# Installs BUILD below WORK, then configures, builds and runs the project of this folder against it.
file(REMOVE_RECURSE ${WORK})

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
run(${CMAKE_COMMAND} -G Ninja -S ${CMAKE_CURRENT_LIST_DIR} -B ${WORK}/build
    -D CMAKE_BUILD_TYPE=Release -D "CMAKE_PREFIX_PATH=${WORK}/prefix;${PREFIX_PATH}")
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/outside ${WORK}/run)
run(${WORK}/prefix/bin/dualdepth --help)
