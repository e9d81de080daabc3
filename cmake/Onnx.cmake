# Defines the imported target `onnx_file`: ONNX's messages, checker and shape inference, as the distribution packs them
# (its own CMake package names files that Debian leaves out).
block()
  set(CMAKE_IGNORE_PREFIX_PATH ${_libtorch})  # LibTorch brings headers of another Protobuf
  find_package(Protobuf REQUIRED)
endblock()
find_library(_onnx onnx REQUIRED)
find_library(_onnx_proto onnx_proto REQUIRED)
if(NOT TARGET onnx_file)
  add_library(onnx_file INTERFACE IMPORTED GLOBAL)
  target_compile_definitions(onnx_file INTERFACE ONNX_NAMESPACE=onnx ONNX_ML=1)
  target_link_libraries(onnx_file INTERFACE ${_onnx} ${_onnx_proto} protobuf::libprotobuf)
endif()
