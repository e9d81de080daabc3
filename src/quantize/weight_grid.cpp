#include "dualdepth/quantize/weight_grid.h"

#include <algorithm>
#include <limits>

namespace dualdepth::quantize {
namespace {

constexpr double kLeastScale = 1e-10;  // of filters that are all 0
constexpr double kLeastShare = 0.4;
constexpr int kTrials = 31;

torch::Tensor per_filter(const torch::Tensor& scale) { return scale.view({-1, 1, 1, 1}); }

torch::Tensor per_tensor_scale(const torch::Tensor& weight, int64_t bits) {
  const auto greatest =
      weight.abs().max().clamp_min(127 * kLeastScale) / greatest_weight_code(bits);
  const auto size = weight.square().mean({1, 2, 3}).clamp_min(1e-20);
  double least = std::numeric_limits<double>::infinity();
  torch::Tensor best;
  for (int trial = 0; trial < kTrials; ++trial) {
    const double share = 1 - (1 - kLeastShare) * trial / (kTrials - 1);
    const auto scale = (greatest * share).view({1});
    const auto error = (round_to_nearest(weight, scale, bits) - weight).square().mean({1, 2, 3});
    const double relative = (error / size).mean().item<double>();
    if (relative < least) {
      least = relative;
      best = scale;
    }
  }
  return best;
}

}  // namespace

double greatest_weight_code(int64_t bits) {
  return static_cast<double>((int64_t{1} << (bits - 1)) - 1);
}

torch::Tensor weight_scale(const torch::Tensor& weight, WeightGranularity granularity,
                           int64_t bits) {
  if (granularity == WeightGranularity::kPerTensor) return per_tensor_scale(weight, bits);
  return weight.abs().amax({1, 2, 3}).clamp_min(127 * kLeastScale) / greatest_weight_code(bits);
}

torch::Tensor scale_for_bias(const torch::Tensor& scale, const torch::Tensor& bias,
                             float input_scale) {
  // Room for the rounding of the scale to float32.
  constexpr double kLimit = std::numeric_limits<int32_t>::max() * (1 - 1e-6);
  const auto size = bias.to(torch::kFloat64).abs() / kLimit / static_cast<double>(input_scale);
  const auto least = scale.numel() == 1 ? size.max().view({1}) : size;
  return torch::maximum(scale, least.to(scale.scalar_type()));
}

torch::Tensor round_to_nearest(const torch::Tensor& weight, const torch::Tensor& scale,
                               int64_t bits) {
  const auto step = per_filter(scale);
  const double greatest = greatest_weight_code(bits);
  return (weight / step).round_().clamp_(-greatest, greatest).mul_(step);
}

graph::Filters on_grid(const torch::Tensor& weight, const torch::Tensor& bias,
                       const torch::Tensor& scale, std::optional<float> input_scale) {
  graph::Filters filters{weight.contiguous(), bias, scale.contiguous()};
  if (input_scale) {
    const auto step = scale.to(torch::kFloat64) * static_cast<double>(*input_scale);
    filters.bias = (graph::integer_bias(filters, *input_scale) * step).to(torch::kFloat32);
  }
  return filters;
}

FilterScaleOf filter_scales(const graph::Graph& graph, WeightGranularity granularity,
                            const std::vector<graph::NodeId>& float_convs, const BitsOf& bits) {
  FilterScaleOf scales;
  for (graph::NodeId id = 0; id < graph.nodes().size(); ++id) {
    const auto& operation = graph.node(id).operation;
    const auto filters = graph::filters_of(operation);
    if (!filters || std::ranges::count(float_convs, id) > 0) continue;
    const auto wide = bits.find(id);
    FilterCodes codes{.scale = {}, .bits = wide == bits.end() ? 8 : wide->second};
    codes.scale = weight_scale(filters->weight, allowed(granularity, operation), codes.bits);
    const auto input = graph::grid_of(graph, graph.node(id).inputs.at(0));
    if (input) codes.scale = scale_for_bias(codes.scale, filters->bias, input->scale);
    scales[id] = codes;
  }
  return scales;
}

WeightGranularity allowed(WeightGranularity granularity, const graph::Operation& operation) {
  return graph::axis_of_filters(operation) ? granularity : WeightGranularity::kPerTensor;
}

graph::Graph quantize_weights(const graph::Graph& graph, const FilterScaleOf& scales,
                              BiasFormat bias) {
  graph::Graph quantized = graph;
  for (const auto& [id, codes] : scales) {
    const auto& operation = graph.node(id).operation;
    const auto filters = graph::filters_in(operation);
    const auto input = graph::grid_of(graph, graph.node(id).inputs.at(0));
    const bool in_codes = input && bias == BiasFormat::kInt32;
    const auto rounded = round_to_nearest(filters.weight, codes.scale, codes.bits);
    quantized.replace(
        id, graph::with_filters(operation,
                                on_grid(rounded, filters.bias, codes.scale,
                                        in_codes ? std::optional(input->scale) : std::nullopt)));
  }
  return quantized;
}

}  // namespace dualdepth::quantize
