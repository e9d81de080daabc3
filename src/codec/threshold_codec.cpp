#include "dualdepth/codec/threshold_codec.h"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "dualdepth/base/error.h"
#include "dualdepth/codec/level_axis.h"

namespace dualdepth {

torch::Tensor threshold_targets(const torch::Tensor& position, int64_t levels) {
  return (position.unsqueeze(-1) - torch::arange(levels, position.options())).clamp_(0, 1);
}

double logit_offset(double quantile) { return std::log((1 - quantile) / quantile); }

int64_t position_groups(int64_t levels, int64_t groups) {
  if (groups == 0) return std::gcd(levels, kPositionGroups);
  if (groups > 0 && levels % groups == 0) return groups;
  throw Error({.subject = "groups",
               .expected = fmt::format("a number that divides the {} levels", levels),
               .got = fmt::format("{}", groups),
               .fix = ""});
}

torch::Tensor group_filters(int64_t levels, int64_t groups) {
  const auto group = torch::arange(levels).floor_divide(levels / groups);
  return torch::arange(groups)
      .unsqueeze(1)
      .eq(group)
      .to(torch::kFloat32)
      .view({groups, levels, 1, 1});
}

torch::Tensor prior_logits(const CodecOptions& options) {
  constexpr double kRate = 4;  // of the exponential distribution, per (M - m)
  constexpr double kLeast = 0.01;
  const auto centre = torch::arange(options.n_integer_levels, torch::kFloat64) + 0.5;
  const auto place = (position_to_depth(centre, options) - options.min_depth) /
                     (options.max_depth - options.min_depth);
  return (place * -kRate).exp().clamp(kLeast, 1 - kLeast).logit().to(torch::kFloat32);
}

}  // namespace dualdepth
