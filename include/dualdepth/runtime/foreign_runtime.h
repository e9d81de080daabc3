#pragma once

#include "dualdepth/onnx/onnx_reader.h"

namespace dualdepth {

// Computes foreign nodes in OpenVINO on the CPU, in float32. A node is compiled when it is computed
// for the first time. This throws Error naming the operator when OpenVINO does not have it either.
// May be called from several threads at once.
ForeignRuntime openvino_foreign_runtime();

}  // namespace dualdepth
