#include "dualdepth/codec/level_axis.h"

#include <cmath>

namespace dualdepth {
namespace {

torch::Tensor to_axis(const torch::Tensor& depth, const CodecOptions& options) {
  const double m = options.min_depth;
  const double M = options.max_depth;
  const auto K = static_cast<double>(options.n_integer_levels);
  switch (options.spacing) {
    case Spacing::kLinear:
      return (depth - m) * (K / (M - m));
    case Spacing::kLog:
      return (depth / m).log() * (K / std::log(M / m));
    case Spacing::kInverse:
      break;
  }
  return (1 / m - depth.reciprocal()) * (K / (1 / m - 1 / M));
}

torch::Tensor from_axis(const torch::Tensor& x, const CodecOptions& options) {
  const double m = options.min_depth;
  const double M = options.max_depth;
  const auto K = static_cast<double>(options.n_integer_levels);
  switch (options.spacing) {
    case Spacing::kLinear:
      return m + x * ((M - m) / K);
    case Spacing::kLog:
      return m * (x * (std::log(M / m) / K)).exp();
    case Spacing::kInverse:
      break;
  }
  return (1 / m - x * ((1 / m - 1 / M) / K)).reciprocal();
}

}  // namespace

torch::Tensor depth_to_position(const torch::Tensor& depth, const CodecOptions& options) {
  const auto inside = depth.to(torch::kFloat64).clamp(options.min_depth, options.max_depth);
  return to_axis(inside, options)
      .clamp(0, static_cast<double>(options.n_integer_levels))
      .to(depth.scalar_type());
}

torch::Tensor position_to_depth(const torch::Tensor& position, const CodecOptions& options) {
  return from_axis(position.to(torch::kFloat64), options)
      .clamp(options.min_depth, options.max_depth)
      .to(position.scalar_type());
}

}  // namespace dualdepth
