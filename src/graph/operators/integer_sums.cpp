#include "integer_sums.h"

#include <vector>

#include "dualdepth/graph/graph.h"

namespace dualdepth::graph {
namespace {

constexpr double kExact = 1 << 24;  // whole numbers up to here are exact in float32

// Ends of runs of input channels (of one group) over which no sum of a filter can leave what
// float32 holds exactly, whatever the order of the sum.
std::vector<int64_t> exact_runs(const torch::Tensor& filters, double greatest_code) {
  const auto sizes = filters.abs().sum({2, 3}).t().to(torch::kFloat64).contiguous();  // [C, O]
  std::vector<int64_t> ends;
  auto sum = torch::zeros({filters.size(0)}, torch::kFloat64);
  for (int64_t c = 0; c < sizes.size(0); ++c) {
    const auto with = sum + sizes[c];
    const bool fits = with.max().item<double>() * greatest_code < kExact;
    if (!fits) ends.push_back(c);
    sum = fits ? with : sizes[c].clone();
  }
  ends.push_back(sizes.size(0));
  return ends;
}

// Input channels `begin` to `end` of every group.
torch::Tensor channels_of(const torch::Tensor& x, int64_t groups, int64_t begin, int64_t end) {
  if (groups == 1) return x.slice(1, begin, end);
  return x.unflatten(1, {groups, -1}).slice(2, begin, end).flatten(1, 2);
}

}  // namespace

torch::Tensor integer_sums(const Conv& conv, const torch::Tensor& x,
                           const FakeQuantize& quantization) {
  const auto codes = (x / quantization.scale).round_();
  const auto filters = (conv.weight / conv.weight_scale.view({-1, 1, 1, 1})).round_();
  auto sums = integer_bias(conv, quantization.scale).to(torch::kFloat64).view({1, -1, 1, 1});
  int64_t begin = 0;
  for (const int64_t end : exact_runs(filters, 255)) {
    if (end == begin) continue;
    sums = sums + torch::conv2d(channels_of(codes, conv.groups, begin, end),
                                filters.slice(1, begin, end), {}, conv.stride, conv.padding,
                                conv.dilation, conv.groups);
    begin = end;
  }
  return sums.to(torch::kFloat32);
}

}  // namespace dualdepth::graph
