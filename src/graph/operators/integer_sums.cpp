#include "integer_sums.h"

#include <vector>

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

constexpr double kByte = 256;

bool has_16_bits(const torch::Tensor& codes) { return codes.abs().max().item<float>() >= kByte; }

// The sums in float64. Numbers of 16 bits are split into two of 8 bits, whose products are exact in
// float32.
torch::Tensor exact_sums(const torch::Tensor& codes, const torch::Tensor& filters, int64_t groups,
                         const Products& products) {
  const auto sums_of = [&](const torch::Tensor& x, const torch::Tensor& w) {
    return exact_sums(x, w, groups, products);
  };
  if (has_16_bits(codes)) {
    const auto high = (codes / kByte).floor_();
    return sums_of(high, filters) * kByte + sums_of(codes - high * kByte, filters);
  }
  if (has_16_bits(filters)) {
    const auto high = (filters / kByte).floor_();
    return sums_of(codes, high) * kByte + sums_of(codes, filters - high * kByte);
  }
  torch::Tensor sums;
  int64_t begin = 0;
  for (const int64_t end : exact_runs(filters, kByte)) {
    if (end == begin) continue;
    const auto run = products(channels_of(codes, groups, begin, end), filters.slice(1, begin, end));
    sums = sums.defined() ? sums.add_(run) : run.to(torch::kFloat64);
    begin = end;
  }
  return sums;
}

}  // namespace

torch::Tensor integer_sums(const Filters& filters, int64_t groups, const torch::Tensor& x,
                           const FakeQuantize& quantization, const Products& products) {
  const auto codes = (x / quantization.scale).round_();
  const auto bias = integer_bias(filters, quantization.scale).to(torch::kFloat64);
  return exact_sums(codes, filter_codes(filters), groups, products)
      .add_(bias.view({1, -1, 1, 1}))
      .to(torch::kFloat32);
}

}  // namespace dualdepth::graph
