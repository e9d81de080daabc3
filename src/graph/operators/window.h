#pragma once

#include <array>

#include "dualdepth/graph/operator_table.h"

namespace dualdepth::graph {

// How a window slides over a map.
struct Window {
  Pair kernel{1, 1}, stride{1, 1}, dilation{1, 1};
  std::array<int64_t, 4> pads{0, 0, 0, 0};  // above, left, below, right

  bool is_symmetric() const { return pads[0] == pads[2] && pads[1] == pads[3]; }
  Pair padding() const { return {pads[0], pads[1]}; }
};

// The attributes kernel_shape, strides, dilations, pads and auto_pad of a node over a map
// [N, C, H, W]. kernel: what the weights say; {0, 0}: the attribute alone.
Window read_window(NodeReader& node, const Shape& map, Pair kernel = {0, 0});

// The same as attributes of a written node, but for kernel_shape where `kernel` is {0, 0}.
std::vector<NamedAttribute> window_attributes(Pair kernel, Pair stride, Pair padding);

}  // namespace dualdepth::graph
