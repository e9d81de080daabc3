#include "dualdepth/graph/filters.h"

#include <limits>

namespace dualdepth::graph {

torch::Tensor transposed_filters(const torch::Tensor& weight, int64_t groups) {
  return weight.unflatten(0, {groups, -1}).transpose(1, 2).flatten(0, 1).contiguous();
}

Filters filters_of(const Conv& conv) { return {conv.weight, conv.bias, conv.weight_scale}; }

Filters filters_of(const ConvTranspose& conv) {
  return {transposed_filters(conv.weight, conv.groups), conv.bias, conv.weight_scale};
}

std::optional<Filters> filters_of(const Operation& operation) {
  if (const auto* conv = std::get_if<Conv>(&operation)) return filters_of(*conv);
  if (const auto* conv = std::get_if<ConvTranspose>(&operation)) return filters_of(*conv);
  return std::nullopt;
}

Filters filters_in(const Operation& operation) {
  if (const auto* conv = std::get_if<Conv>(&operation)) return filters_of(*conv);
  return filters_of(std::get<ConvTranspose>(operation));
}

Operation with_filters(const Operation& operation, const Filters& filters) {
  if (const auto* plain = std::get_if<Conv>(&operation)) {
    Conv conv = *plain;
    conv.weight = filters.weight;
    conv.bias = filters.bias;
    conv.weight_scale = filters.weight_scale;
    return conv;
  }
  auto conv = std::get<ConvTranspose>(operation);
  conv.weight = transposed_filters(filters.weight, conv.groups);
  conv.bias = filters.bias;
  conv.weight_scale = filters.weight_scale;
  return conv;
}

std::optional<int64_t> axis_of_filters(const Operation& operation) {
  const auto* conv = std::get_if<ConvTranspose>(&operation);
  if (conv == nullptr) return 0;
  if (conv->groups == 1) return 1;
  if (conv->weight.size(1) == 1 && conv->weight.size(0) == conv->groups) return 0;
  return std::nullopt;
}

torch::Tensor integer_bias(const Filters& filters, float input_scale) {
  const auto step = filters.weight_scale.to(torch::kFloat64) * static_cast<double>(input_scale);
  constexpr double kLimit = std::numeric_limits<int32_t>::max();
  return (filters.bias.to(torch::kFloat64) / step).round().clamp(-kLimit, kLimit).to(torch::kInt32);
}

bool has_wide_codes(const torch::Tensor& filter_codes) {
  return filter_codes.abs().max().item<float>() > 128;
}

torch::Tensor filter_codes(const Filters& filters) {
  return (filters.weight / filters.weight_scale.view({-1, 1, 1, 1})).round_();
}

}  // namespace dualdepth::graph
