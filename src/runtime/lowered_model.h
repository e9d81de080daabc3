#pragma once

#include <memory>
#include <openvino/core/model.hpp>

#include "dualdepth/graph/graph.h"

namespace dualdepth {

struct LoweringOptions {
  ov::PartialShape input;    // [N, 3, H, W], sizes may be dynamic
  int threads = 1;           // of the head's kernel
  bool integer_head = true;  // this CPU runs IntegerLevelHead
};

// The graph as a model for OpenVINO, node by node:
//
//   Affine        Multiply, Add                     MaxPool       MaxPool
//   Conv          Convolution or GroupConvolution,  Upsample      Interpolate (nearest)
//                 Add; filters that are codes as    Concat        Concat
//                 int8 behind Convert, Multiply     ArgMax        TopK
//   Relu, Sigmoid, Add  the same                    FakeQuantize  FakeQuantize, Convert to codes,
//                                                                 Convert, Subtract, Multiply
//
// Any other operation becomes what OpenVINO's own reader makes of the ONNX nodes that its entry in
// the operator table writes; so does a Foreign node of the node in its file.
//
// Two patterns have operations of their own:
//
//   - the integer head whose ArgMax is read becomes LevelHeadOp: of its 3x3 convolution's codes
//   where
//     the graph is quantized, else of its values together with the fraction's convolution, where
//     that is 3x3 over the same map and float;
//   - a 3x3 float convolution over a map behind an Upsample by 2, alone or first in a Concat,
//   becomes
//     a transposed convolution of the smaller map (see model/upsampled_filters.h) plus a
//     convolution of the rest of the Concat.
//
// Throws Error naming the node where OpenVINO does not have a foreign node's operator.
std::shared_ptr<ov::Model> lower(const graph::Graph& graph, const LoweringOptions& options);

}  // namespace dualdepth
