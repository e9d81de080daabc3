#pragma once

#include "dualdepth/graph/graph.h"
#include "dualdepth/onnx/onnx_file.h"

namespace dualdepth {

// The graph of an ONNX file, float or with Q/DQ pairs, ours or another exporter's, as far as the
// node kinds go:
//
//   Conv (one group), Relu, Sigmoid, MaxPool, Concat (axis 1), ArgMax (axis 1, keepdims, first of
//   equals); Add of two maps; Mul, Add, Sub, Div with a constant of each channel (Affine); Resize
//   and Upsample by a whole factor, nearest; Cast of ArgMax's result (nothing); QuantizeLinear with
//   DequantizeLinear (FakeQuantize), DequantizeLinear of filters and biases
//
// Dynamic batch, height and width become 1 and `size` (0: an error). Throws Error naming the file
// and node for anything else. Files with --outputs depth compose metres in the graph and cannot be
// read back; export levels or logits instead.
graph::Graph read_onnx(const OnnxFile& file, int64_t height = 0, int64_t width = 0);

}  // namespace dualdepth
