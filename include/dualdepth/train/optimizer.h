#pragma once

#include <torch/types.h>

#include <string>
#include <vector>

#include "dualdepth/config/train_options.h"
#include "dualdepth/model/tensor_file.h"

namespace dualdepth {

// Adam (Kingma, Ba, 2015), AdamW (Loshchilov, Hutter, 2019) and SGD with momentum, by LibTorch's
// fused kernels: one pass over each parameter instead of ten, and the same numbers as torch::optim
// to rounding.
//
// Parameters fall into four groups: the encoder's (names that begin with "encoder.") learn at
// lr * encoder_lr_scale, all others at lr; tensors of one dimension or none, which are biases and
// the scales of norms, are not decayed. A parameter without a gradient is left as it is.
class Optimizer {
 public:
  // Keeps the tensors themselves: step() changes them in place.
  Optimizer(const OptimizerOptions& options, NamedTensors parameters);

  // The root of the sum of all squared gradients: finite exactly where every gradient is.
  double gradient_norm() const;

  // One update with learning rate lr * lr_scale. Every gradient is divided by `gradient_divisor`
  // first, which is how clipping is done: max(1, norm / clip_norm).
  void step(double lr_scale, double gradient_divisor = 1);

  void zero_gradients();

  // Updates so far.
  int64_t updates() const;

  // What a resumed run needs, by name: "step" and, for each parameter, "exp_avg.NAME" and
  // "exp_avg_sq.NAME", or "momentum.NAME" where there is momentum. The tensors are the optimiser's
  // own.
  NamedTensors state() const;

 private:
  struct Group {
    double lr_factor = 1;
    double weight_decay = 0;
    std::vector<std::string> names;
    std::vector<torch::Tensor> parameters;
    std::vector<torch::Tensor> first_moments;   // sgd: momentum, if any
    std::vector<torch::Tensor> second_moments;  // adam only
  };

  void update(const Group& group, double lr, const torch::Tensor& gradient_divisor);

  OptimizerOptions options_;
  std::vector<Group> groups_;
  torch::Tensor step_;  // float scalar: updates so far
};

}  // namespace dualdepth
