#include "dualdepth/codec/precision_table.h"

#include <algorithm>

#include "dualdepth/codec/depth_codec.h"

namespace dualdepth {
namespace {

constexpr int64_t kFractionCodes = 255;  // steps from 0/255 to 255/255

bool is_original(CodecKind codec) {
  return codec == CodecKind::kRounded || codec == CodecKind::kContinuous;
}

torch::Tensor through_8_bits(const torch::Tensor& unit) {
  return (unit * kFractionCodes).round() / kFractionCodes;
}

// Where round trips err most within a level of width 1: both sides of each tie between two fraction
// codes, and just inside both ends. Ascending, double [512].
torch::Tensor places_in_a_level() {
  constexpr double kEpsilon = 1e-10;
  const auto ties = (torch::arange(kFractionCodes, torch::kFloat64) + 0.5) / kFractionCodes;
  const auto around = torch::stack({ties - kEpsilon, ties + kEpsilon}, 1).flatten();
  const auto end = torch::full({1}, kEpsilon, torch::kFloat64);
  return torch::cat({end, around, 1 - end});
}

// Row k: depths over level k, ascending, double [K, 512]; those outside [m, M] are moved to the
// nearer end.
torch::Tensor sample_depths(const CodecOptions& options) {
  const int64_t K = options.n_integer_levels;
  const auto level = torch::arange(K).unsqueeze(1);
  const auto within = places_in_a_level().unsqueeze(0);
  if (is_original(options.codec)) {
    const double step = options.max_depth / static_cast<double>(K - 1);
    return ((level + within - 0.5) * step).clamp(options.min_depth, options.max_depth);
  }
  CodecOptions unreflected = options;
  unreflected.codec = CodecKind::kStep;
  return DepthCodec(unreflected).decode(level, within.expand({K, -1}));
}

torch::Tensor round_trip(const DepthCodec& codec, const torch::Tensor& depth) {
  const CodecTargets targets = codec.encode(depth);
  auto level = targets.level;
  if (codec.options().codec == CodecKind::kContinuous) {
    const auto steps = static_cast<double>(codec.options().n_integer_levels - 1);
    level = through_8_bits(level.to(torch::kFloat64) / steps) * steps;
  }
  return codec.decode(level, through_8_bits(targets.fraction));
}

}  // namespace

PrecisionTable precision_table(const CodecOptions& options) {
  const DepthCodec codec(options);
  const auto depth = sample_depths(options);
  const auto error = (round_trip(codec, depth) - depth).abs();
  const auto [row_error, row_index] = error.max(1);
  const auto depths = depth.accessor<double, 2>();
  const auto errors = row_error.accessor<double, 1>();
  const auto worst_places = row_index.accessor<int64_t, 1>();
  const auto centre_tensor = codec.level_depths();
  const auto centres = centre_tensor.accessor<float, 1>();

  PrecisionTable table;
  table.codes = options.n_integer_levels * (kFractionCodes + 1);
  const bool metres = is_original(options.codec);
  for (int64_t k = 0; k < options.n_integer_levels; ++k) {
    LevelPrecision row{.level = k,
                       .from = depths[k][0],
                       .centre = centres[k],
                       .to = depths[k][depth.size(1) - 1],
                       .worst_round_trip = errors[k]};
    if (row.from >= row.to) continue;
    row.fraction_step = metres ? 1.0 / kFractionCodes : row.step() / kFractionCodes;
    // The margin names the nearest of depths that differ only by rounding.
    if (row.worst_round_trip > table.worst_round_trip * (1 + 1e-6)) {
      table.worst_round_trip = row.worst_round_trip;
      table.worst_depth = depths[k][worst_places[k]];
    }
    table.levels.push_back(row);
  }
  const double range = options.max_depth - (metres ? 0 : options.min_depth);
  table.level_step = range / static_cast<double>(options.n_integer_levels - (metres ? 1 : 0));
  table.fraction_step = (metres ? 1.0 : table.level_step) / kFractionCodes;
  table.fraction_codes_used =
      std::min<double>(kFractionCodes, table.level_step / table.fraction_step);
  return table;
}

}  // namespace dualdepth
