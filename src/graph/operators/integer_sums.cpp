#include "integer_sums.h"

#include <algorithm>
#include <vector>

#include "dualdepth/graph/memory_order.h"

namespace dualdepth::graph {
namespace {

constexpr double kByte = 256;
constexpr double kExact = 1 << 24;  // whole numbers up to here are exact in float32

// The least and the greatest code, and 0, which padding has.
struct CodeRange {
  double low = 0, high = 0;
  bool has_16_bits() const { return std::max(-low, high) >= kByte; }
};

CodeRange range_of(const torch::Tensor& codes) {
  const auto [low, high] = torch::aminmax(in_memory_order(codes));
  return {std::min(0.0, low.item<double>()), std::max(0.0, high.item<double>())};
}

// Ends of runs of input channels (of one group) over which no sum of a filter can leave what
// float32 holds exactly, whatever the order of the sum.
std::vector<int64_t> exact_runs(const torch::Tensor& filters, const CodeRange& codes) {
  const auto sums_of_taps = [&](const torch::Tensor& numbers) {
    const auto taps = numbers.flatten(2).flatten(0, 1);  // [O C, taps]
    return taps.mv(torch::ones({taps.size(1)})).view({filters.size(0), -1}).t().to(torch::kFloat64);
  };
  const auto up = sums_of_taps(filters.clamp_min(0));
  const auto down = up - sums_of_taps(filters);
  // How far the sum of some products of one channel can go up or down, [C, O].
  const auto greatest = up.mul(codes.high).sub_(down, codes.low).contiguous();
  const auto least = down.mul(codes.high).sub_(up, codes.low).contiguous();
  const auto outputs = static_cast<size_t>(greatest.size(1));
  std::vector<double> above(outputs, 0), below(outputs, 0);
  std::vector<int64_t> ends;
  for (int64_t c = 0; c < greatest.size(0); ++c) {
    const double* rise = greatest.const_data_ptr<double>() + c * greatest.size(1);
    const double* fall = least.const_data_ptr<double>() + c * greatest.size(1);
    bool fits = true;
    for (size_t o = 0; o < outputs; ++o) {
      fits = fits && std::max(above[o] + rise[o], below[o] + fall[o]) < kExact;
    }
    if (!fits) ends.push_back(c);
    for (size_t o = 0; o < outputs; ++o) {
      above[o] = (fits ? above[o] : 0) + rise[o];
      below[o] = (fits ? below[o] : 0) + fall[o];
    }
  }
  ends.push_back(greatest.size(0));
  return ends;
}

// Input channels `begin` to `end` of every group.
torch::Tensor channels_of(const torch::Tensor& x, int64_t groups, int64_t begin, int64_t end) {
  if (groups == 1) return x.slice(1, begin, end);
  return x.unflatten(1, {groups, -1}).slice(2, begin, end).flatten(1, 2);
}

// The sums, in float32 where one run holds them all, otherwise in float64. Numbers of 16 bits are
// split into two of 8 bits, whose products are exact in float32.
torch::Tensor exact_sums(const torch::Tensor& codes, const torch::Tensor& filters, int64_t groups,
                         const Products& products) {
  const auto sums_of = [&](const torch::Tensor& x, const torch::Tensor& w) {
    return exact_sums(x, w, groups, products).to(torch::kFloat64);
  };
  const CodeRange range = range_of(codes);
  if (range.has_16_bits()) {
    const auto high = (codes / kByte).floor_();
    return sums_of(high, filters) * kByte + sums_of(codes - high * kByte, filters);
  }
  if (range_of(filters).has_16_bits()) {
    const auto high = (filters / kByte).floor_();
    return sums_of(codes, high) * kByte + sums_of(codes, filters - high * kByte);
  }
  const auto ends = exact_runs(filters, range);
  if (ends.size() == 1) return products(codes, filters);
  torch::Tensor sums;
  int64_t begin = 0;
  for (const int64_t end : ends) {
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
  const auto sums = exact_sums(codes, filter_codes(filters), groups, products);
  const auto bias = integer_bias(filters, quantization.scale).to(torch::kFloat64);
  const auto rounded = bias.to(torch::kFloat32);
  const bool is_exact = rounded.to(torch::kFloat64).equal(bias);
  if (sums.scalar_type() == torch::kFloat32 && is_exact) {  // rounded once, here as in float64
    return sums.add(rounded.view({1, -1, 1, 1}));
  }
  return sums.to(torch::kFloat64).add_(bias.view({1, -1, 1, 1})).to(torch::kFloat32);
}

}  // namespace dualdepth::graph
