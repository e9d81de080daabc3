#pragma once

#include <torch/types.h>

#include "level_kernel.h"

// Filters in the order in which the kernels of level_kernel.h read them. K' is K filled up to a
// multiple of level_group().
namespace dualdepth {

// [K, taps, C] as [K' / group][taps][C][group]: one vector of levels is read for each tap and
// channel.
torch::Tensor pack_filters(const torch::Tensor& taps);

// What the rounding error of one level's transformed sums is proportional to: the root of the sum
// of squares of what each product can be and how much of it reaches an output. The greatest of all
// levels of the filters [K, C, 3, 3].
float level_rounding_size(const torch::Tensor& weight);

// The filters [K, C, 3, 3] of a head as kLevelFilterTransform transforms them, packed, and their
// biases [K].
class TransformedFilters {
 public:
  TransformedFilters(const torch::Tensor& weight, const torch::Tensor& bias);

  int64_t channels() const { return channels_; }
  LevelFilters view() const;

 private:
  int64_t channels_ = 0;
  torch::Tensor transform_, bias_;
};

}  // namespace dualdepth
