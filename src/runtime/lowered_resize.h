#pragma once

#include <openvino/core/node_output.hpp>

#include "dualdepth/graph/operators.h"

namespace dualdepth {

// OpenVINO's Interpolate of height and width of a map [N, C, H, W]; batch and size may be dynamic.
ov::Output<ov::Node> lower_resize(const graph::Resize& resize, const ov::Output<ov::Node>& map);

}  // namespace dualdepth
