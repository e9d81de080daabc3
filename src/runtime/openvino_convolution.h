#pragma once

#include <torch/types.h>

#include <openvino/op/constant.hpp>
#include <openvino/op/convolution.hpp>
#include <vector>

namespace dualdepth {

// OpenVINO's memory as a tensor that is only read: from_blob takes no pointer to const.
template <class Number>
torch::Tensor view(const Number* values, const ov::Shape& shape) {
  const std::vector<int64_t> sizes(shape.begin(), shape.end());
  return torch::from_blob(const_cast<Number*>(values), sizes,
                          torch::CppTypeToScalarType<Number>::value);
}

// The float32 values of a constant.
inline torch::Tensor view(const ov::op::v0::Constant& constant) {
  return view(constant.get_data_ptr<float>(), constant.get_shape());
}

// Whether it is 3x3 in float32 with stride 1 and zero padding 1.
bool is_plain_3x3(const ov::op::v1::Convolution& conv, const ov::op::v0::Constant& filters);

}  // namespace dualdepth
