#pragma once

#include <memory>
#include <openvino/core/model.hpp>

namespace dualdepth {

// Replaces each 3x3 convolution that reads a map behind a nearest x2 upsampling, alone or in front
// of others in a Concat, by a transposed convolution of the smaller map (see upsampled_filters.h)
// plus a convolution of what stood beside it: fewer products, and neither the larger map nor the
// Concat is stored. Float32 filters alone: whole-number ones have their own grid. Returns how many
// were replaced.
int replace_upsampled_convolutions(const std::shared_ptr<ov::Model>& model);

}  // namespace dualdepth
