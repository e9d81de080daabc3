#pragma once

#include <torch/types.h>

#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "dualdepth/config/quantize_options.h"
#include "dualdepth/graph/filters.h"
#include "dualdepth/graph/graph.h"

namespace dualdepth::quantize {

// The greatest code of filters: -127..127 of 8 bits, -32767..32767 of 16, zero point 0.
double greatest_weight_code(int64_t bits);

// The step of filters [O, C, kh, kw]: per channel, float [O], the greatest |w| / 127; per tensor,
// float [1], that times the share from 0.4 to 1 with the least mean square rounding error, each
// filter's error taken relative to its own size.
torch::Tensor weight_scale(const torch::Tensor& weight, WeightGranularity granularity,
                           int64_t bits = 8);

// The scale, raised for filters whose bias would not fit into the int32 that stores it as codes of
// input_scale * scale:
//
//   scale >= |bias| / ((2^31 - 1) input_scale)
//
// A filter that is all 0 or has nearly decayed has so small a scale that its bias would be clamped.
// The raised scale costs nothing: its rounding error is below 1e-7 of the bias. bias: float [O].
torch::Tensor scale_for_bias(const torch::Tensor& scale, const torch::Tensor& bias,
                             float input_scale);

// weight as whole multiples of scale, half to even, clamped to the codes.
torch::Tensor round_to_nearest(const torch::Tensor& weight, const torch::Tensor& scale,
                               int64_t bits = 8);

// Filters that are whole multiples of `scale` already, and their bias as a whole multiple of
// input_scale * scale where there is an input scale.
graph::Filters on_grid(const torch::Tensor& weight, const torch::Tensor& bias,
                       const torch::Tensor& scale, std::optional<float> input_scale);

// What a runtime adds to the sums of a convolution: int32 codes of input_scale * scale, or float32
// (TensorRT).
enum class BiasFormat { kInt32, kFloat };

using BitsOf = std::map<graph::NodeId, int64_t>;  // where they are not 8

// The scales of the filters of each convolution, transposed ones included, of a graph with
// quantized values, except those of `float_convs`: weight_scale(), raised by scale_for_bias() where
// the input is quantized, also for a float bias: the reference executor (graph/run_graph.h) sums in
// codes of input_scale * scale either way.
struct FilterCodes {
  torch::Tensor scale;
  int64_t bits = 8;
};
using FilterScaleOf = std::map<graph::NodeId, FilterCodes>;
FilterScaleOf filter_scales(const graph::Graph& graph, WeightGranularity granularity,
                            const std::vector<graph::NodeId>& float_convs, const BitsOf& bits = {});

// Per tensor where a file cannot hold a scale for each filter (graph::axis_of_filters).
WeightGranularity allowed(WeightGranularity granularity, const graph::Operation& operation);

// The graph with the filters of these convolutions rounded to nearest, and their biases to what
// `bias` stores.
graph::Graph quantize_weights(const graph::Graph& graph, const FilterScaleOf& scales,
                              BiasFormat bias);

}  // namespace dualdepth::quantize

namespace dualdepth {
template <>
struct EnumNames<quantize::BiasFormat> {
  static constexpr std::array values{std::pair{quantize::BiasFormat::kInt32, "int32"},
                                     std::pair{quantize::BiasFormat::kFloat, "float"}};
};
}  // namespace dualdepth
