#include "dualdepth/export/graph_from_trace.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>

#include <string>
#include <string_view>
#include <unordered_map>

#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

using graph::Add;
using graph::Affine;
using graph::ArgMax;
using graph::Binary;
using graph::BinaryFunction;
using graph::Clip;
using graph::Concat;
using graph::Conv;
using graph::Graph;
using graph::HardSigmoid;
using graph::MaxPool;
using graph::Node;
using graph::NodeId;
using graph::Operation;
using graph::Output;
using graph::Reduce;
using graph::ReduceFunction;
using graph::Relu;
using graph::Shape;
using graph::Sigmoid;
using graph::Unary;
using graph::UnaryFunction;
using graph::Upsample;

namespace jit = torch::jit;

// "encoder.conv1" of "self.encoder.conv1.weight_fused_bn"; empty when the value is no parameter.
std::string module_of_parameter(const std::string& name) {
  constexpr std::string_view kSelf = "self.";
  const size_t end = name.rfind('.');
  if (!name.starts_with(kSelf) || end < kSelf.size()) return "";
  return name.substr(kSelf.size(), end - kSelf.size());
}

class Converter {
 public:
  Converter(const jit::Graph& trace, const Shape& image) {
    values_[trace.inputs().at(1)] = graph_.add_input(trace.inputs().at(1)->debugName(), image);
    for (const jit::Node* node : trace.nodes()) convert(*node);
    convert_outputs(trace);
  }

  Graph graph() && { return std::move(graph_); }

 private:
  void convert(const jit::Node& node) {
    const std::string_view kind = node.kind().toQualString();
    if (kind == "prim::Constant" || kind == "prim::ListConstruct" ||
        kind == "prim::DictConstruct") {
      return;  // read where they are used
    }
    if (kind == "aten::_convolution") return set(node, conv(node), {value(node, 0)});
    if (kind == "aten::relu") return set(node, Relu{}, {value(node, 0)});
    if (kind == "aten::sigmoid") return set(node, Sigmoid{}, {value(node, 0)});
    if (kind == "aten::hardtanh") return set(node, clip(node), {value(node, 0)});
    if (kind == "aten::hardswish") {
      return set(node, Unary{UnaryFunction::kHardSwish}, {value(node, 0)});
    }
    if (kind == "aten::hardsigmoid") {
      return set(node, HardSigmoid{.alpha = 1.0F / 6, .beta = 0.5F}, {value(node, 0)});
    }
    if (kind == "aten::mean") return set(node, mean(node), {value(node, 0)});
    if (kind == "aten::mul") {
      return set(node, Binary{BinaryFunction::kMul}, {value(node, 0), value(node, 1)});
    }
    if (kind == "aten::argmax") return set(node, ArgMax{}, {value(node, 0)});
    if (kind == "aten::max_pool2d") return set(node, max_pool(node), {value(node, 0)});
    if (kind == "aten::upsample_nearest2d") return set(node, upsample(node), {value(node, 0)});
    if (kind == "aten::cat") return set(node, Concat{}, concat_inputs(node));
    if (kind == "aten::add") return set(node, Add{}, {value(node, 0), value(node, 1)});
    if (kind == "aten::sub" || kind == "aten::div") {
      return set(node, affine(node, kind == "aten::sub"), {value(node, 0)});
    }
    if (kind == "aten::contiguous" || kind == "aten::to" || kind == "aten::squeeze" ||
        kind == "aten::unsqueeze") {
      values_[node.output()] = value(node, 0);  // memory format, type; a channel of one
      return;
    }
    throw Error({.subject = fmt::format("{} of {}", kind, described(node)),
                 .expected = "an operator that the network graph knows",
                 .got = std::string(kind),
                 .fix = "docs/deployment.md lists them; write the module in these"});
  }

  void convert_outputs(const jit::Graph& trace) {
    const jit::Node* dictionary = trace.outputs().at(0)->node();
    std::vector<Output> outputs;
    for (size_t i = 0; i + 1 < dictionary->inputs().size(); i += 2) {
      outputs.push_back(
          {constant(*dictionary, i).toStringRef(), values_.at(dictionary->input(i + 1))});
    }
    graph_.set_outputs(std::move(outputs));
  }

  void set(const jit::Node& node, Operation operation, std::vector<NodeId> inputs) {
    values_[node.output()] = graph_.add(std::move(operation), std::move(inputs), module_of(node));
  }

  // The module that owns the node's parameter; without one, the module around the one before.
  std::string module_of(const jit::Node& node) const {
    for (const jit::Value* input : node.inputs()) {
      auto module = module_of_parameter(input->debugName());
      if (!module.empty()) return module;
    }
    for (const jit::Value* input : node.inputs()) {
      const auto found = values_.find(input);
      if (found == values_.end()) continue;
      const Node& before = graph_.node(found->second);
      const bool owns = std::holds_alternative<Conv>(before.operation);
      return owns ? graph::parent_module(before.module) : before.module;
    }
    if (!node.inputs().empty() && node.input(0)->node()->kind() == c10::prim::ListConstruct) {
      return module_of(*node.input(0)->node());
    }
    return "";
  }

  std::string described(const jit::Node& node) const {
    const auto module = module_of(node);
    return module.empty() ? "the network" : module;
  }

  [[noreturn]] void refuse(const jit::Node& node, const std::string& expected,
                           const std::string& got) const {
    throw Error({.subject = fmt::format("{} of {}", node.kind().toQualString(), described(node)),
                 .expected = expected,
                 .got = got,
                 .fix = ""});
  }

  NodeId value(const jit::Node& node, size_t input) const {
    const auto found = values_.find(node.input(input));
    if (found == values_.end()) refuse(node, "a computed input", "a constant");
    return found->second;
  }

  c10::IValue constant(const jit::Node& node, size_t input) const {
    const auto ivalue = jit::toIValue(node.input(input));
    if (!ivalue) refuse(node, fmt::format("a constant as input {}", input), "a computed value");
    return *ivalue;
  }

  std::array<int64_t, 2> pair(const jit::Node& node, size_t input) const {
    const auto list = constant(node, input).toIntVector();
    if (list.size() == 1) return {list[0], list[0]};
    if (list.size() != 2) refuse(node, "one or two numbers", std::to_string(list.size()));
    return {list[0], list[1]};
  }

  static torch::Tensor dense(const torch::Tensor& tensor) {
    return tensor.detach().to(torch::kFloat32).contiguous();
  }

  Conv conv(const jit::Node& node) const {
    if (constant(node, 6).toBool()) refuse(node, "a plain convolution", "a transposed one");
    const auto weight = dense(constant(node, 1).toTensor());
    const auto bias = constant(node, 2);
    return {.weight = weight,
            .bias = bias.isNone() ? torch::zeros({weight.size(0)}) : dense(bias.toTensor()),
            .stride = pair(node, 3),
            .padding = pair(node, 4),
            .dilation = pair(node, 5),
            .groups = constant(node, 8).toInt()};
  }

  Clip clip(const jit::Node& node) const {
    return {constant(node, 1).toScalar().to<float>(), constant(node, 2).toScalar().to<float>()};
  }

  Reduce mean(const jit::Node& node) const {
    if (!constant(node, 2).toBool()) refuse(node, "axes that are kept", "axes that are dropped");
    return {ReduceFunction::kMean, constant(node, 1).toIntVector()};
  }

  MaxPool max_pool(const jit::Node& node) const {
    if (pair(node, 4) != std::array<int64_t, 2>{1, 1}) refuse(node, "dilation 1", "another");
    if (constant(node, 5).toBool()) refuse(node, "sizes rounded down", "ceil_mode");
    return {.kernel = pair(node, 1), .stride = pair(node, 2), .padding = pair(node, 3)};
  }

  Upsample upsample(const jit::Node& node) const {
    const auto factors = constant(node, 2);
    if (factors.isNone()) refuse(node, "a scale factor", "a fixed size");
    const auto list = factors.toDoubleVector();
    const auto factor = static_cast<int64_t>(list.at(0));
    if (list.size() != 2 || list[0] != list[1] || static_cast<double>(factor) != list[0]) {
      refuse(node, "one whole factor for height and width",
             fmt::format("{}", fmt::join(list, ", ")));
    }
    return {factor};
  }

  // x - c, x / c for a constant [1, C, 1, 1].
  Affine affine(const jit::Node& node, bool subtracts) const {
    const auto ivalue = constant(node, 1);
    const int64_t channels = graph_.node(value(node, 0)).shape[1];
    if (!ivalue.isTensor() || ivalue.toTensor().numel() != channels) {
      refuse(node, "one constant for each channel", "another operand");
    }
    const auto each = dense(ivalue.toTensor()).flatten();
    if (subtracts) return {torch::ones_like(each), -each};
    return {each.reciprocal(), torch::zeros_like(each)};
  }

  std::vector<NodeId> concat_inputs(const jit::Node& node) const {
    if (constant(node, 1).toInt() != 1) refuse(node, "dimension 1", "another");
    std::vector<NodeId> inputs;
    for (size_t i = 0; i < node.input(0)->node()->inputs().size(); ++i) {
      inputs.push_back(value(*node.input(0)->node(), i));
    }
    return inputs;
  }

  Graph graph_;
  std::unordered_map<const jit::Value*, NodeId> values_;
};

}  // namespace

Graph graph_from_trace(const torch::jit::Module& frozen, const Shape& image) {
  return Converter(*frozen.get_method("forward").graph(), image).graph();
}

}  // namespace dualdepth
