#pragma once

#include <torch/types.h>

#include "dualdepth/model/dual_head.h"
#include "fraction_kernel.h"

namespace dualdepth {

// The second head's filter in the order in which its kernel reads it; none for a network without.
class FractionFilter {
 public:
  explicit FractionFilter(const HeadFilters& filters);

  // Empty float [N, h, w] to write into; undefined without a filter.
  torch::Tensor empty_logits(torch::IntArrayRef shape) const;

  // Writes the lines begin .. end - 1 of a map into logits, whose pixel `first` is the first of
  // line `begin`. Nothing without a filter.
  void write_lines(const LevelMap& map, int64_t begin, int64_t end, const torch::Tensor& logits,
                   int64_t first) const;

 private:
  torch::Tensor weight_;  // [3, 3, C]
  float bias_ = 0;
};

}  // namespace dualdepth
