#include "dualdepth/graph/run_graph.h"

#include <fmt/format.h>

#include <algorithm>

#include "dualdepth/base/error.h"
#include "dualdepth/graph/operator_table.h"
#include "dualdepth/graph/patterns.h"

namespace dualdepth::graph {
namespace {

constexpr int64_t kStripePixels = 8192;  // 8 MB of 256 channels

// A convolution of stride 1 and what follows it, by stripes of lines.
torch::Tensor run_chain(const Graph& graph, std::span<const NodeId> chain, const torch::Tensor& in,
                        const ValueObserver& observe) {
  const NodeId head = chain.front();
  Conv conv = std::get<Conv>(graph.node(head).operation);
  const auto [up, left] = conv.padding;
  const auto padded = torch::constant_pad_nd(in, {left, left, up, up});
  const int64_t reach = conv.dilation[0] * (conv.weight.size(2) - 1);
  const int64_t lines = padded.size(2) - reach;
  const int64_t at_once = std::max<int64_t>(1, kStripePixels / (in.size(0) * in.size(3)));
  conv.padding = {0, 0};
  std::vector<torch::Tensor> stripes;
  for (int64_t line = 0; line < lines; line += at_once) {
    const int64_t count = std::min(at_once, lines - line);
    const Value part = padded.narrow(2, line, count + reach);
    Value value = entry_of(conv).compute(
        conv, {.values = {&part, 1},
               .quantization = graph.node(graph.node(head).inputs[0]).quantization});
    if (observe) observe(head, value.real());
    for (const NodeId id : chain.subspan(1)) {
      value = run_node(graph, id, {&value, 1});
      if (observe) observe(id, value.real());
    }
    stripes.push_back(value.real());
  }
  return torch::cat(stripes, 2);
}

// The integer head, where running it in stripes is worth it.
std::vector<NodeId> chain_to_stripe(const Graph& graph) {
  auto chain = integer_head(graph);
  if (chain.empty() || !std::holds_alternative<ArgMax>(graph.node(chain.back()).operation)) {
    return {};
  }
  const auto& conv = std::get<Conv>(graph.node(chain.front()).operation);
  return conv.stride == std::array<int64_t, 2>{1, 1} ? chain : std::vector<NodeId>();
}

void expect_inputs(const Graph& graph, size_t given) {
  const auto count = std::ranges::count_if(graph.nodes(), [](const Node& node) {
    return std::holds_alternative<Input>(node.operation);
  });
  if (static_cast<size_t>(count) == given) return;
  throw Error({.subject = "graph",
               .expected = fmt::format("{} inputs", count),
               .got = std::to_string(given),
               .fix = ""});
}

}  // namespace

Value run_node(const Graph& graph, NodeId id, std::span<const Value> inputs) {
  const Node& node = graph.node(id);
  return entry_of(node.operation)
      .compute(
          node.operation,
          {.values = inputs,
           .quantization =
               node.inputs.empty() ? std::nullopt : graph.node(node.inputs.front()).quantization});
}

std::vector<torch::Tensor> run_graph(const Graph& graph, const torch::Tensor& image,
                                     std::span<const NodeId> wanted, const ValueObserver& observe) {
  return run_graph(graph, std::span(&image, 1), wanted, observe);
}

std::vector<torch::Tensor> run_graph(const Graph& graph, std::span<const torch::Tensor> inputs,
                                     std::span<const NodeId> wanted, const ValueObserver& observe) {
  const torch::NoGradGuard no_grad;
  expect_inputs(graph, inputs.size());
  size_t next_input = 0;
  const auto chain = chain_to_stripe(graph);
  std::vector<Value> values(graph.nodes().size());
  std::vector<NodeId> last_consumer(graph.nodes().size(), 0);
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    for (const NodeId input : graph.node(id).inputs) last_consumer[input] = id;
  }
  for (const NodeId id : wanted) last_consumer[id] = graph.nodes().size();
  const NodeId end = wanted.empty() ? graph.nodes().size() : std::ranges::max(wanted) + 1;
  for (NodeId id = 0; id < end; ++id) {
    const Node& node = graph.node(id);
    if (!chain.empty() && id != chain.front() && std::ranges::count(chain, id) > 0) continue;
    const bool strides = !chain.empty() && id == chain.front();
    const NodeId made = strides ? chain.back() : id;
    if (strides) {
      values[made] = run_chain(graph, chain, values[node.inputs[0]].real(), observe);
    } else if (std::holds_alternative<Input>(node.operation)) {
      values[id] = inputs[next_input++];
    } else {
      std::vector<Value> operands;
      operands.reserve(node.inputs.size());
      for (const NodeId input : node.inputs) operands.push_back(values[input]);
      values[id] = run_node(graph, id, operands);
    }
    if (observe && !strides) observe(id, values[id].real());
    if (last_consumer[made] <= id) values[made] = Value();  // nothing reads it
    for (const NodeId input : node.inputs) {
      if (last_consumer[input] == id) values[input] = Value();
    }
  }
  std::vector<torch::Tensor> results;
  results.reserve(wanted.size());
  for (const NodeId id : wanted) results.push_back(values[id].real());
  return results;
}

}  // namespace dualdepth::graph
