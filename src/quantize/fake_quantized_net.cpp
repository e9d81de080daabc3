#include "dualdepth/quantize/fake_quantized_net.h"

#include "dualdepth/base/error.h"
#include "dualdepth/graph/filters.h"
#include "dualdepth/graph/patterns.h"
#include "dualdepth/graph/run_graph.h"
#include "dualdepth/model/map_pixels.h"
#include "dualdepth/quantize/choose_range.h"
#include "dualdepth/quantize/weight_grid.h"

namespace dualdepth::quantize {
namespace {

using graph::Conv;
using graph::FakeQuantize;
using graph::Graph;
using graph::NodeId;

// `rounded` on the way forward, the identity of `x` on the way back.
torch::Tensor straight_through(const torch::Tensor& x, const torch::Tensor& rounded) {
  return x + (rounded - x).detach();
}

torch::Tensor put_on_grid(const torch::Tensor& x, const FakeQuantize& grid) {
  const auto range = range_of(grid);
  const auto inside = x.clamp(range.low, range.high);
  return straight_through(inside, graph::fake_quantize(inside.detach(), grid));
}

// The convolution that a value comes from, through what follows it.
NodeId conv_behind(const Graph& graph, NodeId id) {
  while (!std::holds_alternative<Conv>(graph.node(id).operation)) {
    if (graph.node(id).inputs.size() != 1) {
      throw Error({.subject = "fine-tuning",
                   .expected = "a network whose heads end in convolutions",
                   .got = "one without",
                   .fix = "train a dual head"});
    }
    id = graph.node(id).inputs[0];
  }
  return id;
}

// The filters nearest to the float ones that round to the codes of a quantized convolution,
// whatever chose those.
torch::Tensor towards(const torch::Tensor& weight, const Conv& quantized) {
  if (!quantized.weight_scale.defined()) return quantized.weight.clone();
  constexpr double kInside = 0.49;  // of a scale
  const auto reach = (kInside * quantized.weight_scale).view({-1, 1, 1, 1});
  const auto missing = weight - quantized.weight;
  return quantized.weight + torch::minimum(torch::maximum(missing, -reach), reach);
}

std::vector<bool> ancestors(const Graph& graph, NodeId end) {
  std::vector<bool> needed(graph.nodes().size(), false);
  needed[end] = true;
  for (NodeId id = end + 1; id-- > 0;) {
    if (!needed[id]) continue;
    for (const NodeId input : graph.node(id).inputs) needed[input] = true;
  }
  return needed;
}

}  // namespace

FakeQuantizedNet::FakeQuantizedNet(const Quantization& quantization)
    : graph_(quantization.graph), bias_(quantization.plan.target.bias) {
  const auto head = graph::integer_head(graph_);
  if (head.empty()) {
    throw Error({.subject = "fine-tuning",
                 .expected = "a network with a categorical head",
                 .got = "one with another head",
                 .fix = "quantize it without fine-tuning"});
  }
  integer_ = head.front();
  fraction_ = conv_behind(graph_, graph_.output("fraction"));
  needed_ = ancestors(graph_, graph_.node(integer_).inputs[0]);
  const Graph lowered = lower_head(quantization.reference, quantization.plan.head.shift);
  for (NodeId reference = 0; reference < quantization.renamed.size(); ++reference) {
    const auto* from = std::get_if<Conv>(&lowered.node(reference).operation);
    if (from == nullptr) continue;
    const NodeId id = quantization.renamed[reference];
    const auto& to = std::get<Conv>(graph_.node(id).operation);
    layers_[id] = {towards(from->weight, to).requires_grad_(), to.bias.clone().requires_grad_()};
  }
}

NamedTensors FakeQuantizedNet::parameters() const {
  NamedTensors all;
  for (const auto& [id, layer] : layers_) {
    all[graph_.node(id).module + ".weight"] = layer.weight;
    all[graph_.node(id).module + ".bias"] = layer.bias;
  }
  return all;
}

torch::Tensor FakeQuantizedNet::rounded_weight(NodeId id) const {
  const auto& scale = std::get<Conv>(graph_.node(id).operation).weight_scale;
  const auto& weight = layers_.at(id).weight;
  if (!scale.defined()) return weight;
  return straight_through(weight, round_to_nearest(weight.detach(), scale));
}

torch::Tensor FakeQuantizedNet::compute(NodeId id, const std::vector<torch::Tensor>& inputs) const {
  const auto& operation = graph_.node(id).operation;
  if (const auto* conv = std::get_if<Conv>(&operation)) {
    return torch::conv2d(inputs[0], rounded_weight(id), layers_.at(id).bias, conv->stride,
                         conv->padding, conv->dilation, conv->groups);
  }
  if (const auto* grid = std::get_if<FakeQuantize>(&operation))
    return put_on_grid(inputs[0], *grid);
  const std::vector<graph::Value> values(inputs.begin(), inputs.end());
  return graph::run_node(graph_, id, values).real();
}

HeadOutput FakeQuantizedNet::operator()(const torch::Tensor& image,
                                        const torch::Tensor& pixels) const {
  const NodeId feature = graph_.node(integer_).inputs[0];
  std::vector<torch::Tensor> values(feature + 1);
  for (NodeId id = 0; id <= feature; ++id) {
    if (!needed_[id]) continue;
    const auto& node = graph_.node(id);
    if (std::holds_alternative<graph::Input>(node.operation)) {
      values[id] = image;
      continue;
    }
    std::vector<torch::Tensor> inputs;
    inputs.reserve(node.inputs.size());
    for (const NodeId input : node.inputs) inputs.push_back(values[input]);
    values[id] = compute(id, inputs);
  }
  const int64_t factor = image.size(3) / values[feature].size(3);
  return apply_at({.integer_weight = rounded_weight(integer_),
                   .integer_bias = layers_.at(integer_).bias,
                   .fraction_weight = rounded_weight(fraction_),
                   .fraction_bias = layers_.at(fraction_).bias},
                  values[feature], map_pixels(pixels, image.size(3), factor));
}

Graph FakeQuantizedNet::quantized() const {
  const torch::NoGradGuard no_grad;
  Graph graph = graph_;
  for (const auto& [id, layer] : layers_) {
    auto conv = std::get<Conv>(graph.node(id).operation);
    const auto weight = layer.weight.detach().contiguous();
    conv.bias = layer.bias.detach().clone();
    if (!conv.weight_scale.defined()) {
      conv.weight = weight.clone();
    } else {
      const auto grid = graph::grid_of(graph, graph.node(id).inputs[0]);
      const auto scale =
          grid ? scale_for_bias(conv.weight_scale, conv.bias, grid->scale) : conv.weight_scale;
      const bool in_codes = grid && bias_ == BiasFormat::kInt32;
      const auto filters = on_grid(round_to_nearest(weight, scale), conv.bias, scale,
                                   in_codes ? std::optional(grid->scale) : std::nullopt);
      conv = std::get<Conv>(graph::with_filters(conv, filters));
    }
    graph.replace(id, std::move(conv));
  }
  return graph;
}

}  // namespace dualdepth::quantize
