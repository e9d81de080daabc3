#include "dualdepth/codec/depth_codec.h"

#include "dualdepth/codec/level_axis.h"
#include "dualdepth/codec/level_distribution.h"

namespace dualdepth {
namespace {

// Undoes itself: the fraction of odd levels runs backwards. level: int64, whose lowest bit is read
// in a ninth of the time that a remainder takes.
torch::Tensor reflect_odd_levels(const torch::Tensor& level, const torch::Tensor& fraction) {
  return torch::where(level.bitwise_and(1) == 0, fraction, 1 - fraction);
}

}  // namespace

DepthCodec::DepthCodec(const CodecOptions& options) : options_(options) { options_.check(); }

int64_t DepthCodec::integer_channels() const {
  return options_.codec == CodecKind::kContinuous ? 1 : options_.n_integer_levels;
}

bool DepthCodec::is_original() const {
  return options_.codec == CodecKind::kRounded || options_.codec == CodecKind::kContinuous;
}

torch::Tensor DepthCodec::in_range(const torch::Tensor& depth) const {
  return (depth >= options_.min_depth).logical_and_(depth <= options_.max_depth);
}

CodecTargets DepthCodec::encode(const torch::Tensor& depth) const {
  const auto dtype = depth.scalar_type();
  const auto metres = depth.to(torch::kFloat64);
  if (is_original()) {
    const auto steps = static_cast<double>(options_.n_integer_levels - 1);
    const auto [integer, residual] =
        decompose_depth(metres, options_.max_depth, options_.n_integer_levels);
    return {(integer * steps).round().to(torch::kInt64), residual.clamp(0, 1).to(dtype),
            (metres / options_.max_depth * steps).to(dtype)};
  }
  const auto last = static_cast<double>(options_.n_integer_levels - 1);
  const auto x = depth_to_position(metres, options_);
  const auto whole = x.floor().clamp_max(last);
  const auto level = whole.to(torch::kInt64);
  auto fraction = x - whole;
  if (options_.codec == CodecKind::kReflected) fraction = reflect_odd_levels(level, fraction);
  return {level, fraction.to(dtype), x.to(dtype)};
}

torch::Tensor DepthCodec::decode(const torch::Tensor& level, const torch::Tensor& fraction) const {
  auto within = fraction.to(torch::kFloat64);
  if (is_original()) {
    const auto integer =
        level.to(torch::kFloat64) / static_cast<double>(options_.n_integer_levels - 1);
    return dual_head_to_depth(integer, within, options_.max_depth)
        .clamp(0, options_.max_depth + 1)
        .to(fraction.scalar_type());
  }
  if (options_.codec == CodecKind::kReflected) within = reflect_odd_levels(level, within);
  // Sums of two types convert number by number, 17 times slower.
  return position_to_depth(level.to(torch::kFloat64) + within, options_).to(fraction.scalar_type());
}

torch::Tensor DepthCodec::choose_level(const torch::Tensor& integer_logits, int64_t dim) const {
  if (options_.codec != CodecKind::kContinuous) {
    const bool is_median = options_.decoding == LevelDecoding::kMedian;
    return is_median ? median_level(integer_logits, dim) : integer_logits.argmax(dim);
  }
  const auto steps = static_cast<double>(options_.n_integer_levels - 1);
  return integer_logits.squeeze(dim).sigmoid() * steps;
}

torch::Tensor DepthCodec::level_positions() const {
  const auto levels = torch::arange(options_.n_integer_levels, torch::kFloat32);
  return is_original() ? levels : levels + 0.5;
}

torch::Tensor DepthCodec::level_depths() const {
  const auto positions = level_positions().to(torch::kFloat64);
  const auto depths =
      is_original()
          ? positions * (options_.max_depth / static_cast<double>(options_.n_integer_levels - 1))
          : position_to_depth(positions, options_);
  return depths.to(torch::kFloat32);
}

}  // namespace dualdepth
