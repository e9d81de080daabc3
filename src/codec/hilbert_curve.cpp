#include "dualdepth/codec/hilbert_curve.h"

#include <limits>
#include <utility>

#include "dualdepth/codec/level_axis.h"

namespace dualdepth {
namespace {

// (i, j) of the d-th point, by the base-4 digits of d, least first (Warren, Hacker's Delight,
// 2012).
std::pair<int64_t, int64_t> point_of(int64_t d, int64_t side) {
  int64_t i = 0;
  int64_t j = 0;
  for (int64_t s = 1; s < side; s *= 2, d /= 4) {
    const int64_t right = d / 2 % 2;
    const int64_t up = (d ^ right) % 2;
    if (up == 0) {
      if (right == 1) {
        i = s - 1 - i;
        j = s - 1 - j;
      }
      std::swap(i, j);
    }
    i += s * right;
    j += s * up;
  }
  return {i, j};
}

// The nearest point found so far.
struct Nearest {
  torch::Tensor distance;  // squared
  torch::Tensor place;     // along the curve, in segments

  void add(const torch::Tensor& other_distance, const torch::Tensor& other_place) {
    const auto wins = other_distance < distance;
    distance = torch::where(wins, other_distance, distance);
    place = torch::where(wins, other_place, place);
  }
};

}  // namespace

HilbertCurve::HilbertCurve(int64_t order) : side_(int64_t{1} << order) {
  TORCH_CHECK(order >= 1 && order <= 6, "HilbertCurve: order 1 to 6");
  points_ = torch::empty({side_ * side_, 2}, torch::kInt64);
  index_ = torch::empty({side_, side_}, torch::kInt64);
  auto points = points_.accessor<int64_t, 2>();
  auto index = index_.accessor<int64_t, 2>();
  for (int64_t d = 0; d < side_ * side_; ++d) {
    const auto [i, j] = point_of(d, side_);
    points[d][0] = i;
    points[d][1] = j;
    index[i][j] = d;
  }
}

torch::Tensor HilbertCurve::point_at(const torch::Tensor& u) const {
  const int64_t segments = side_ * side_ - 1;
  const auto place = u.to(torch::kFloat64).clamp(0, 1) * static_cast<double>(segments);
  const auto first = place.floor().to(torch::kInt64).clamp_max(segments - 1);
  const auto points = points_.to(u.device());
  const auto from = points.index({first}).to(torch::kFloat64);
  const auto to = points.index({first + 1}).to(torch::kFloat64);
  const auto share = (place - first.to(torch::kFloat64)).unsqueeze(-1);
  return ((from + share * (to - from)) / static_cast<double>(side_ - 1)).to(u.scalar_type());
}

torch::Tensor HilbertCurve::nearest(const torch::Tensor& coordinates) const {
  const auto at = coordinates.to(torch::kFloat64).clamp(0, 1) * static_cast<double>(side_ - 1);
  const auto corner = at.floor().to(torch::kInt64).clamp_max(side_ - 2);
  const auto within = at - corner.to(torch::kFloat64);
  const auto index = index_.to(coordinates.device());
  const auto number = [&](int64_t i, int64_t j) {
    return index.index({corner.select(-1, 0) + i, corner.select(-1, 1) + j}).to(torch::kFloat64);
  };
  const torch::Tensor numbers[2][2] = {{number(0, 0), number(0, 1)}, {number(1, 0), number(1, 1)}};
  const auto x = within.select(-1, 0);
  const auto y = within.select(-1, 1);
  const auto far = torch::full_like(x, std::numeric_limits<double>::infinity());
  Nearest nearest{far, torch::zeros_like(x)};
  for (int side = 0; side < 2; ++side) {
    for (int other = 0; other < 2; ++other) {
      nearest.add((x - side).square() + (y - other).square(), numbers[side][other]);
    }
    // A side belongs to the curve where its ends follow one another.
    const auto add_side = [&](const torch::Tensor& from, const torch::Tensor& to,
                              const torch::Tensor& along, const torch::Tensor& across) {
      const auto step = to - from;
      nearest.add(torch::where(step.abs() == 1, across.square(), far), from + along * step);
    };
    add_side(numbers[side][0], numbers[side][1], y, x - side);
    add_side(numbers[0][side], numbers[1][side], x, y - side);
  }
  return (nearest.place / static_cast<double>(side_ * side_ - 1)).to(coordinates.scalar_type());
}

torch::Tensor hilbert_targets(const torch::Tensor& depth, const CodecOptions& options) {
  const auto u = depth_to_position(depth, options) / static_cast<double>(options.n_integer_levels);
  return HilbertCurve(options.hilbert_order).point_at(u);
}

torch::Tensor hilbert_depth(const torch::Tensor& coordinates, const CodecOptions& options) {
  const auto u = HilbertCurve(options.hilbert_order).nearest(coordinates);
  return position_to_depth(u * static_cast<double>(options.n_integer_levels), options);
}

}  // namespace dualdepth
