#pragma once

#include <torch/types.h>

#include <openvino/runtime/tensor.hpp>
#include <string>

namespace dualdepth {

// OpenVINO's name of a type. Throws Error for one that tensors of OpenVINO do not have.
ov::element::Type element_type_of(torch::ScalarType type);

// A copy of one of OpenVINO's tensors: uint8, int8, int16, int32, int64, bool, float16, bfloat16,
// float32 and float64 in the same type, uint16 as int32. Throws Error naming the output for another
// element type.
torch::Tensor copy_output(const ov::Tensor& tensor, const std::string& output);

}  // namespace dualdepth
