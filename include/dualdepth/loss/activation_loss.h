#pragma once

#include <torch/types.h>

#include <span>

namespace dualdepth {

// How large a network's maps are: the mean over maps of each one's mean square, over the whole
// picture (L2 activation regularization: Merity, McCann, Socher, "Revisiting Activation
// Regularization for Language RNNs", 2017).
//
// Where there is no ground truth (sky, a lens's vignette) nothing else holds maps back: on rendered
// car parks they grew to ten times what they reach elsewhere, and an 8-bit grid that has to reach
// so far leaves few steps for the rest.
//
// maps: at least one, of any shape, float or bfloat16. Returns a float scalar.
torch::Tensor activation_loss(std::span<const torch::Tensor> maps);

}  // namespace dualdepth
