#pragma once

#include <torch/types.h>

#include <optional>

#include "dualdepth/graph/operators.h"

// The filters of Conv and ConvTranspose in one layout.
namespace dualdepth::graph {

struct Filters {
  torch::Tensor weight;             // float [O, C / groups, kh, kw]
  torch::Tensor bias;               // float [O]
  torch::Tensor weight_scale = {};  // float [1] or [O], Conv::weight_scale
};

Filters filters_of(const Conv& conv);
Filters filters_of(const ConvTranspose& conv);
// None of an operator that has no such filters.
std::optional<Filters> filters_of(const Operation& operation);
// Throws std::bad_variant_access there.
Filters filters_in(const Operation& operation);

// The operation with these filters, of the same shape.
Operation with_filters(const Operation& operation, const Filters& filters);

// The axis of the operation's own weight that its filters lie along, where a DequantizeLinear can
// have a scale for each; none for a ConvTranspose of several groups, unless it is depthwise.
std::optional<int64_t> axis_of_filters(const Operation& operation);

// [C, O / groups, kh, kw] to [O, C / groups, kh, kw], and back.
torch::Tensor transposed_filters(const torch::Tensor& weight, int64_t groups);

// The bias as whole multiples of input_scale * weight_scale, int32 [O]; what a file holds.
torch::Tensor integer_bias(const Filters& filters, float input_scale);

// The filters as whole multiples of their scale, float.
torch::Tensor filter_codes(const Filters& filters);

// Whether 8 bits, -128..127, do not hold codes of filters, which then have 16.
bool has_wide_codes(const torch::Tensor& filter_codes);

}  // namespace dualdepth::graph
