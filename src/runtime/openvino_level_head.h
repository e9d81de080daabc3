#pragma once

#include <memory>
#include <openvino/core/model.hpp>

namespace dualdepth {

// Replaces each ArgMax over the channels of a 3x3 convolution with bias (OpenVINO reads it as TopK
// with k = 1), with or without a Relu between, by an operation of our own that computes
// LevelHead or IntegerLevelHead. OpenVINO's TopK over 256 channels costs more than the rest of the
// network. A float head of a single channel that reads the same map is computed by the same
// operation.
// `threads`: that it computes with. Returns how many were replaced.
int replace_level_heads(const std::shared_ptr<ov::Model>& model, int threads);

}  // namespace dualdepth
