#pragma once

#include <torch/csrc/jit/api/module.h>

#include "dualdepth/graph/graph.h"

namespace dualdepth {

// The graph of a frozen trace with ModelOutputs::kLogits, for pictures of this shape: input
// `image`, outputs `logits` and, with two heads, `fraction`.
//
//   aten::sub, div by a constant of each channel  Affine        aten::_convolution      Conv
//   aten::relu, sigmoid, argmax                   the same      aten::add               Add
//   aten::max_pool2d                              MaxPool       aten::cat               Concat
//   aten::upsample_nearest2d                      Upsample      aten::hardtanh          Clip
//   aten::hardswish                               HardSwish     aten::hardsigmoid       HardSigmoid
//   aten::mean over kept axes                     Reduce        aten::mul               Mul
//   aten::contiguous, to, squeeze, unsqueeze      nothing
//
// Throws Error naming the operator and the module it came from when it is none of these or is used
// in a way that the graph does not have (a transposed convolution, a broadcast Add ...).
graph::Graph graph_from_trace(const torch::jit::Module& frozen, const graph::Shape& image);

}  // namespace dualdepth
