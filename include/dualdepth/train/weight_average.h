#pragma once

#include <torch/types.h>

#include "dualdepth/model/tensor_file.h"

namespace dualdepth {

// The exponential moving average of a network's weights (Polyak averaging with forgetting), which
// often validates better than the last step's weights:
//
//   average = d * average + (1 - d) * weights,   d = min(decay, (1 + n) / (10 + n))
//
// after n updates before this one, so that the random first weights are soon forgotten. Statistics
// of batch norms are averaged like weights; integer tensors (counters) are copied.
class WeightAverage {
 public:
  // Starts at a copy of these tensors; `decay` in (0, 1).
  WeightAverage(double decay, const NamedTensors& tensors);

  // The same names and shapes as at the start. `updates_before`: n above.
  void update(const NamedTensors& tensors, int64_t updates_before);

  // The averages by the names they were given; the tensors are its own.
  const NamedTensors& tensors() const { return averages_; }

 private:
  double decay_;
  NamedTensors averages_;
};

}  // namespace dualdepth
