#include "dualdepth/quantize/weight_grid.h"

#include <algorithm>
#include <limits>

namespace dualdepth::quantize {
namespace {

constexpr double kLeastScale = 1e-10;  // of filters that are all 0
constexpr double kLeastShare = 0.4;
constexpr int kTrials = 31;

torch::Tensor per_filter(const torch::Tensor& scale) { return scale.view({-1, 1, 1, 1}); }

torch::Tensor per_tensor_scale(const torch::Tensor& weight) {
  const auto greatest = weight.abs().max().clamp_min(127 * kLeastScale) / kWeightSteps;
  const auto size = weight.square().mean({1, 2, 3}).clamp_min(1e-20);
  double least = std::numeric_limits<double>::infinity();
  torch::Tensor best;
  for (int trial = 0; trial < kTrials; ++trial) {
    const double share = 1 - (1 - kLeastShare) * trial / (kTrials - 1);
    const auto scale = (greatest * share).view({1});
    const auto error = (round_to_nearest(weight, scale) - weight).square().mean({1, 2, 3});
    const double relative = (error / size).mean().item<double>();
    if (relative < least) {
      least = relative;
      best = scale;
    }
  }
  return best;
}

}  // namespace

torch::Tensor weight_scale(const torch::Tensor& weight, WeightGranularity granularity) {
  if (granularity == WeightGranularity::kPerTensor) return per_tensor_scale(weight);
  return weight.abs().amax({1, 2, 3}).clamp_min(127 * kLeastScale) / kWeightSteps;
}

torch::Tensor scale_for_bias(const torch::Tensor& scale, const torch::Tensor& bias,
                             float input_scale) {
  // Room for the rounding of the scale to float32.
  constexpr double kLimit = std::numeric_limits<int32_t>::max() * (1 - 1e-6);
  const auto size = bias.to(torch::kFloat64).abs() / kLimit / static_cast<double>(input_scale);
  const auto least = scale.numel() == 1 ? size.max().view({1}) : size;
  return torch::maximum(scale, least.to(scale.scalar_type()));
}

torch::Tensor round_to_nearest(const torch::Tensor& weight, const torch::Tensor& scale) {
  const auto step = per_filter(scale);
  return (weight / step).round_().clamp_(-kWeightSteps, kWeightSteps).mul_(step);
}

graph::Conv on_grid(graph::Conv conv, const torch::Tensor& weight, const torch::Tensor& scale,
                    std::optional<float> input_scale) {
  conv.weight = weight.contiguous();
  conv.weight_scale = scale.contiguous();
  if (input_scale) {
    const auto step = scale.to(torch::kFloat64) * static_cast<double>(*input_scale);
    conv.bias = (graph::integer_bias(conv, *input_scale) * step).to(torch::kFloat32);
  }
  return conv;
}

FilterScaleOf filter_scales(const graph::Graph& graph, WeightGranularity granularity,
                            const std::vector<graph::NodeId>& float_convs) {
  FilterScaleOf scales;
  for (graph::NodeId id = 0; id < graph.nodes().size(); ++id) {
    const auto* conv = std::get_if<graph::Conv>(&graph.node(id).operation);
    if (conv == nullptr || std::ranges::count(float_convs, id) > 0) continue;
    scales[id] = weight_scale(conv->weight, granularity);
    const auto input = graph::grid_of(graph, graph.node(id).inputs.at(0));
    if (input) scales[id] = scale_for_bias(scales[id], conv->bias, input->scale);
  }
  return scales;
}

graph::Graph quantize_weights(const graph::Graph& graph, const FilterScaleOf& scales,
                              BiasFormat bias) {
  graph::Graph quantized = graph;
  for (const auto& [id, scale] : scales) {
    const auto& conv = std::get<graph::Conv>(graph.node(id).operation);
    const auto input = graph::grid_of(graph, graph.node(id).inputs.at(0));
    const bool in_codes = input && bias == BiasFormat::kInt32;
    quantized.replace(id, on_grid(conv, round_to_nearest(conv.weight, scale), scale,
                                  in_codes ? std::optional(input->scale) : std::nullopt));
  }
  return quantized;
}

}  // namespace dualdepth::quantize
