#pragma once

#include <torch/types.h>

#include "level_kernel.h"

// Filters in the order in which the kernels of level_kernel.h read them. K' is K filled up to a
// multiple of level_group().
namespace dualdepth {

// [K, taps, C] as [K' / group][taps][C][group]: one vector of levels is read for each tap and
// channel.
torch::Tensor pack_filters(const torch::Tensor& taps);

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
