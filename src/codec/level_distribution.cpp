#include "dualdepth/codec/level_distribution.h"

#include "dualdepth/codec/level_axis.h"

namespace dualdepth {

LevelPlaces level_places(const CodecOptions& options) {
  const auto level = torch::arange(options.n_integer_levels, torch::kFloat32);
  if (options.codec == CodecKind::kRounded) {
    const double step = options.max_depth / static_cast<double>(options.n_integer_levels - 1);
    return {level * step, torch::ones_like(level)};
  }
  if (options.codec == CodecKind::kStep) return {level, torch::ones_like(level)};
  const auto is_odd = level.remainder(2);  // their fraction runs backwards
  return {level + is_odd, 1 - 2 * is_odd};
}

torch::Tensor depth_at_place(const torch::Tensor& place, const CodecOptions& options) {
  if (options.codec == CodecKind::kRounded) return place.clamp(0, options.max_depth + 1);
  return position_to_depth(place, options);
}

torch::Tensor median_level(const torch::Tensor& logits, int64_t dim) {
  const auto share = logits.softmax(dim).cumsum(dim);
  return share.lt(0.5).sum(dim).clamp_max(logits.size(dim) - 1);
}

torch::Tensor expected_depth(const torch::Tensor& logits, const torch::Tensor& fraction,
                             const CodecOptions& options, int64_t dim) {
  const auto [start, slope] = level_places(options);
  const auto share = logits.movedim(dim, -1).softmax(-1);
  const auto place =
      share.matmul(start.to(share.device())) + share.matmul(slope.to(share.device())) * fraction;
  return depth_at_place(place, options);
}

}  // namespace dualdepth
