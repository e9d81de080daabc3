#include "dualdepth/graph/graph.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>

#include "dualdepth/base/error.h"

namespace dualdepth::graph {
namespace {

std::string to_text(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

// What a node is checked and its shape inferred with.
class ShapeRule {
 public:
  ShapeRule(const Operation& operation, const std::string& module, std::vector<Shape> inputs)
      : subject_(
            fmt::format("{} of {}", kind_name(operation), module.empty() ? "the network" : module)),
        inputs_(std::move(inputs)) {}

  Shape operator()(const Input&) const { return {}; }  // Graph::add_input knows it

  Shape operator()(const Affine& affine) const {
    const Shape x = only_input();
    expect_tensor("scale", affine.scale, {x[1]});
    expect_tensor("shift", affine.shift, {x[1]});
    return x;
  }

  Shape operator()(const Conv& conv) const {
    const Shape x = only_input();
    expect(conv.weight.defined() && conv.weight.dim() == 4, "weight [O, C, kh, kw]", "another");
    const int64_t filters = conv.weight.size(0);
    expect_tensor("weight", conv.weight, {filters, x[1], conv.weight.size(2), conv.weight.size(3)});
    expect_tensor("bias", conv.bias, {filters});
    if (conv.weight_scale.defined()) {
      expect_tensor("weight_scale", conv.weight_scale,
                    {conv.weight_scale.numel() == 1 ? 1 : filters});
      expect(conv.weight_scale.gt(0).all().item<bool>(), "a weight_scale above 0", "another");
    }
    return slide({x[0], filters, x[2], x[3]}, {conv.weight.size(2), conv.weight.size(3)},
                 conv.stride, conv.padding, conv.dilation);
  }

  Shape operator()(const Relu&) const { return only_input(); }
  Shape operator()(const Sigmoid&) const { return only_input(); }

  Shape operator()(const Add&) const {
    expect_inputs(2);
    expect(inputs_[0] == inputs_[1], "two inputs of equal shape",
           to_text(inputs_[0]) + " and " + to_text(inputs_[1]));
    return inputs_[0];
  }

  Shape operator()(const MaxPool& pool) const {
    return slide(only_input(), pool.kernel, pool.stride, pool.padding, {1, 1});
  }

  Shape operator()(const Upsample& upsample) const {
    const Shape x = only_input();
    expect(upsample.factor >= 1 && upsample.factor <= 64, "a factor of 1 to 64",
           std::to_string(upsample.factor));
    return {x[0], x[1], x[2] * upsample.factor, x[3] * upsample.factor};
  }

  Shape operator()(const Concat&) const {
    expect(!inputs_.empty(), "inputs", "none");
    Shape all = inputs_.front();
    for (size_t i = 1; i < inputs_.size(); ++i) {
      const Shape& x = inputs_[i];
      expect(x[0] == all[0] && x[2] == all[2] && x[3] == all[3],
             "inputs that differ in channels only", to_text(all) + " and " + to_text(x));
      all[1] += x[1];
    }
    return all;
  }

  Shape operator()(const ArgMax&) const {
    const Shape x = only_input();
    return {x[0], 1, x[2], x[3]};
  }

  Shape operator()(const FakeQuantize& quantize) const {
    expect(quantize.bits == 8 || quantize.bits == 16, "8 or 16 bits",
           std::to_string(quantize.bits));
    const int64_t codes = int64_t{1} << quantize.bits;
    const int64_t first = quantize.is_signed ? -codes / 2 : 0;
    expect(std::isfinite(quantize.scale) && quantize.scale > 0, "a finite scale above 0",
           fmt::format("{}", quantize.scale));
    expect(quantize.zero_point >= first && quantize.zero_point < first + codes,
           fmt::format("a zero point of {} to {}", first, first + codes - 1),
           std::to_string(quantize.zero_point));
    return only_input();
  }

  Shape operator()(const ComposeDepth& compose) const {
    expect_inputs(compose.params.use_dual_head ? 2 : 1);
    for (const Shape& x : inputs_) {
      expect(x[1] == 1 && x == inputs_[0], "inputs [N, 1, H, W] of equal shape", to_text(x));
    }
    return inputs_[0];
  }

 private:
  void expect(bool holds, const std::string& expected, const std::string& got) const {
    if (!holds) throw Error({.subject = subject_, .expected = expected, .got = got, .fix = ""});
  }

  void expect_inputs(size_t count) const {
    expect(inputs_.size() == count, fmt::format("{} inputs", count),
           std::to_string(inputs_.size()));
  }

  Shape only_input() const {
    expect_inputs(1);
    return inputs_[0];
  }

  void expect_tensor(const char* name, const torch::Tensor& tensor,
                     const std::vector<int64_t>& sizes) const {
    const auto expected = fmt::format("{} float [{}]", name, fmt::join(sizes, ", "));
    expect(tensor.defined(), expected, "none");
    expect(tensor.scalar_type() == torch::kFloat32 && tensor.sizes() == torch::IntArrayRef(sizes),
           expected,
           fmt::format("{} [{}]", toString(tensor.scalar_type()), fmt::join(tensor.sizes(), ", ")));
    expect(tensor.isfinite().all().item<bool>(), fmt::format("finite values in {}", name),
           "NaN or infinity");
  }

  Shape slide(Shape x, std::array<int64_t, 2> kernel, std::array<int64_t, 2> stride,
              std::array<int64_t, 2> padding, std::array<int64_t, 2> dilation) const {
    for (size_t i = 0; i < 2; ++i) {
      expect(kernel[i] >= 1 && stride[i] >= 1 && dilation[i] >= 1 && padding[i] >= 0,
             "kernel, stride and dilation of at least 1, padding of at least 0", "less");
      const int64_t reach = dilation[i] * (kernel[i] - 1) + 1;
      const int64_t room = x[2 + i] + 2 * padding[i] - reach;
      expect(room >= 0, fmt::format("a map of at least {} px", reach), to_text(x));
      x[2 + i] = room / stride[i] + 1;
    }
    return x;
  }

  std::string subject_;
  std::vector<Shape> inputs_;
};

}  // namespace

std::string_view kind_name(const Operation& operation) {
  constexpr std::array kNames{"Input",   "Affine", "Conv",         "Relu",
                              "Sigmoid", "Add",    "MaxPool",      "Upsample",
                              "Concat",  "ArgMax", "FakeQuantize", "ComposeDepth"};
  static_assert(kNames.size() == std::variant_size_v<Operation>);
  return kNames.at(operation.index());
}

NodeId Graph::add(Operation operation, std::vector<NodeId> inputs, std::string module) {
  std::vector<Shape> shapes;
  shapes.reserve(inputs.size());
  for (const NodeId input : inputs) shapes.push_back(nodes_.at(input).shape);
  const Shape shape = std::visit(ShapeRule(operation, module, std::move(shapes)), operation);
  nodes_.push_back({std::move(operation), std::move(inputs), std::move(module), shape});
  return nodes_.size() - 1;
}

void Graph::replace(NodeId id, Operation operation) {
  Node& node = nodes_.at(id);
  std::vector<Shape> shapes;
  shapes.reserve(node.inputs.size());
  for (const NodeId input : node.inputs) shapes.push_back(nodes_.at(input).shape);
  const Shape shape = std::visit(ShapeRule(operation, node.module, std::move(shapes)), operation);
  if (shape != node.shape) {
    throw Error({.subject = fmt::format("{} of {}", kind_name(operation), node.module),
                 .expected = to_text(node.shape),
                 .got = to_text(shape),
                 .fix = ""});
  }
  node.operation = std::move(operation);
}

NodeId Graph::add_input(std::string name, Shape shape) {
  nodes_.push_back({Input{std::move(name)}, {}, "", std::move(shape)});
  return nodes_.size() - 1;
}

void Graph::set_outputs(std::vector<Output> outputs) {
  for (const Output& output : outputs) {
    if (output.node >= nodes_.size()) throw std::out_of_range("output of a node that is not there");
  }
  outputs_ = std::move(outputs);
}

NodeId Graph::output(std::string_view name) const {
  std::string names;
  for (const Output& output : outputs_) {
    if (output.name == name) return output.node;
    names += (names.empty() ? "" : ", ") + output.name;
  }
  throw Error({.subject = "graph",
               .expected = fmt::format("an output {}", name),
               .got = names.empty() ? "no outputs" : names,
               .fix = ""});
}

const Node& Graph::input() const {
  for (const Node& node : nodes_) {
    if (std::holds_alternative<Input>(node.operation)) return node;
  }
  throw Error({.subject = "graph", .expected = "an input", .got = "none", .fix = ""});
}

std::vector<int> Graph::readers() const {
  std::vector<int> count(nodes_.size(), 0);
  for (const Node& node : nodes_) {
    for (const NodeId input : node.inputs) ++count[input];
  }
  for (const Output& output : outputs_) ++count[output.node];
  return count;
}

std::vector<NodeId> output_nodes(const Graph& graph) {
  std::vector<NodeId> nodes;
  nodes.reserve(graph.outputs().size());
  for (const Output& output : graph.outputs()) nodes.push_back(output.node);
  return nodes;
}

NodeId add_copy(Graph& to, const Node& node, const std::vector<NodeId>& renamed) {
  if (const auto* input = std::get_if<Input>(&node.operation)) {
    return to.add_input(input->name, node.shape);
  }
  std::vector<NodeId> inputs;
  inputs.reserve(node.inputs.size());
  for (const NodeId read : node.inputs) inputs.push_back(renamed.at(read));
  return to.add(node.operation, std::move(inputs), node.module);
}

std::vector<Output> renamed_outputs(const Graph& from, const std::vector<NodeId>& renamed) {
  std::vector<Output> outputs = from.outputs();
  for (Output& output : outputs) output.node = renamed.at(output.node);
  return outputs;
}

Graph insert_behind(const Graph& graph, NodeId id, const Operation& operation) {
  Graph longer;
  std::vector<NodeId> renamed;
  renamed.reserve(graph.nodes().size());
  for (NodeId old = 0; old < graph.nodes().size(); ++old) {
    renamed.push_back(add_copy(longer, graph.node(old), renamed));
    if (old == id) renamed[id] = longer.add(operation, {renamed[id]}, graph.node(old).module);
  }
  longer.set_outputs(renamed_outputs(graph, renamed));
  return longer;
}

std::string parent_module(const std::string& module) {
  const size_t dot = module.rfind('.');
  return dot == std::string::npos ? "" : module.substr(0, dot);
}

std::vector<std::string> node_names(const Graph& graph) {
  std::vector<std::string> names;
  std::map<std::string, int> seen;
  for (const Node& node : graph.nodes()) {
    if (const auto* input = std::get_if<Input>(&node.operation)) {
      names.push_back(input->name);
      continue;
    }
    std::string path = node.module.empty() ? "" : "/" + node.module;
    std::ranges::replace(path, '.', '/');
    std::string name = fmt::format("{}/{}", path, kind_name(node.operation));
    if (const int before = seen[name]++; before > 0) name += fmt::format("_{}", before);
    names.push_back(std::move(name));
  }
  return names;
}

std::vector<NodeId> integer_head(const Graph& graph) {
  std::optional<NodeId> last;
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    if (std::holds_alternative<ArgMax>(graph.node(id).operation)) last = id;
  }
  for (const Output& output : graph.outputs()) {
    if (!last && output.name == "logits") last = output.node;
  }
  if (!last) return {};
  std::vector<NodeId> chain{*last};
  while (!std::holds_alternative<Conv>(graph.node(chain.front()).operation)) {
    const Operation& operation = graph.node(chain.front()).operation;
    const bool passes = std::holds_alternative<ArgMax>(operation) ||
                        std::holds_alternative<Relu>(operation) ||
                        std::holds_alternative<FakeQuantize>(operation);
    if (!passes) return {};
    chain.insert(chain.begin(), graph.node(chain.front()).inputs.at(0));
  }
  const auto readers = graph.readers();
  const bool alone =
      std::all_of(chain.begin(), chain.end() - 1, [&](NodeId id) { return readers.at(id) == 1; });
  return alone ? chain : std::vector<NodeId>();
}

std::optional<FakeQuantize> grid_of(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (const auto* grid = std::get_if<FakeQuantize>(&node.operation)) return *grid;
  const bool keeps = std::holds_alternative<MaxPool>(node.operation) ||
                     std::holds_alternative<Upsample>(node.operation) ||
                     std::holds_alternative<Concat>(node.operation);
  if (!keeps) return std::nullopt;
  const auto first = grid_of(graph, node.inputs.front());
  for (const NodeId input : node.inputs) {
    if (grid_of(graph, input) != first) return std::nullopt;
  }
  return first;
}

torch::Tensor integer_bias(const Conv& conv, float input_scale) {
  const auto step = conv.weight_scale.to(torch::kFloat64) * static_cast<double>(input_scale);
  constexpr double kLimit = std::numeric_limits<int32_t>::max();
  return (conv.bias.to(torch::kFloat64) / step).round().clamp(-kLimit, kLimit).to(torch::kInt32);
}

int64_t multiply_accumulates(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const auto* conv = std::get_if<Conv>(&node.operation);
  if (conv == nullptr) return 0;
  return node.shape[0] * node.shape[2] * node.shape[3] * conv->weight.numel();
}

}  // namespace dualdepth::graph
