#pragma once

#include <torch/types.h>

#include <map>

#include "dualdepth/model/dual_head.h"
#include "dualdepth/model/tensor_file.h"
#include "dualdepth/quantize/quantize_graph.h"

namespace dualdepth::quantize {

// A network that computes as in 8 bits and can be trained: filters are float and rounded on their
// way into each convolution, biases are float, values are rounded to their codes. Gradients pass a
// rounding as if it were not there, and stop where a value lies outside its range (straight-through
// estimator;
// Bengio, Leonard, Courville, 2013; Jacob et al., Quantization and Training of Neural Networks for
// Efficient Integer-Arithmetic-Only Inference, 2018). Steps and ranges stay as they are; batch norm
// is folded.
//
// The grids of the heads' logits are left out: losing levels saturate on the integer head's and
// would learn nothing.
class FakeQuantizedNet {
 public:
  // Begins with the quantized network: with filters between its own and the float ones, such that
  // they round to its codes, and with its biases. Throws Error for a network without two heads.
  explicit FakeQuantizedNet(const Quantization& quantization);

  // "encoder.conv1.weight" ...: leaves with gradients, shared.
  NamedTensors parameters() const;

  // Both heads at pixels (n * H + y) * W + x of image [N, 3, H, W].
  HeadOutput operator()(const torch::Tensor& image, const torch::Tensor& pixels) const;

  // The network in 8 bits with the present filters, as write_quantized() takes it.
  graph::Graph quantized() const;

 private:
  struct Layer {
    torch::Tensor weight, bias;
  };

  torch::Tensor compute(graph::NodeId id, const std::vector<torch::Tensor>& inputs) const;
  torch::Tensor rounded_weight(graph::NodeId id) const;

  graph::Graph graph_;
  BiasFormat bias_;
  std::map<graph::NodeId, Layer> layers_;
  graph::NodeId integer_ = 0, fraction_ = 0;  // the heads' convolutions
  std::vector<bool> needed_;                  // for the map that the heads read
};

}  // namespace dualdepth::quantize
