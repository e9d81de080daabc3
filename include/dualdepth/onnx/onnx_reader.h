#pragma once

#include <torch/types.h>

#include <functional>
#include <span>
#include <string>

#include "dualdepth/graph/graph.h"
#include "dualdepth/onnx/onnx_file.h"

namespace dualdepth {

// Computes one output of a node from its inputs, in their order and without those left out.
using ForeignCompute = std::function<torch::Tensor(std::span<const torch::Tensor> inputs)>;

// Makes the computation of a node that the graph has no operator for. model: the bytes of an ONNX
// model of that node alone, its inputs in order, with one output.
using ForeignRuntime = std::function<ForeignCompute(const std::string& model)>;

struct OnnxReadOptions {
  int64_t height = 0, width = 0;  // of the picture, where the file leaves them open
  ForeignRuntime foreign = {};    // without one, a foreign node is an error
  // Throws Error for a node that makes a constant of the picture's size (Shape): the graph would
  // hold for height and width only.
  bool for_any_size = false;
};

// The graph of an ONNX file, float or with Q/DQ pairs, ours or another exporter's. The operators
// that it reads are the forms of the operator table (graph/operator_table.h, docs/deployment.md).
//
// Attributes that an operator's entry does not read, inputs of another kind and operators without
// an entry become Foreign nodes. What is computed of constants alone (Constant, and the arithmetic
// of shapes that PyTorch exports) is computed here. A QuantizeLinear and the DequantizeLinear
// behind it become a FakeQuantize.
//
// Dynamic batch, height and width become 1 and the options' sizes (0: an error). Throws Error
// naming the file and node. Files with --outputs depth compose metres in the graph: they are read,
// and depth is then computed by Mul, Add and so on instead of ComposeDepth.
graph::Graph read_onnx(const OnnxFile& file, const OnnxReadOptions& options);
graph::Graph read_onnx(const OnnxFile& file, int64_t height = 0, int64_t width = 0);

}  // namespace dualdepth
