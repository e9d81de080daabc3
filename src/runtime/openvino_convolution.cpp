#include "openvino_convolution.h"

namespace dualdepth {

bool is_plain_3x3(const ov::op::v1::Convolution& conv, const ov::op::v0::Constant& filters) {
  const auto& shape = filters.get_shape();
  const ov::CoordinateDiff one{1, 1};
  return filters.get_element_type() == ov::element::f32 && shape.size() == 4 && shape[2] == 3 &&
         shape[3] == 3 && conv.get_strides() == ov::Strides{1, 1} &&
         conv.get_dilations() == ov::Strides{1, 1} && conv.get_pads_begin() == one &&
         conv.get_pads_end() == one && conv.get_auto_pad() == ov::op::PadType::EXPLICIT;
}

}  // namespace dualdepth
