#include "dualdepth/deploy/lint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <set>

#include "onnx_tensor.h"

namespace dualdepth::deploy {
namespace {

constexpr int64_t kUnknown = -1;

bool is_power_of_two(int64_t value) { return value > 0 && (value & (value - 1)) == 0; }

// What the checks look at besides the node: shapes of values, values of constants.
class Model {
 public:
  explicit Model(const onnx::ModelProto& model) : model_(model) {
    try {
      onnx::shape_inference::InferShapes(model_);
    } catch (const std::exception& error) {
      // Operators that this version does not know leave their shapes unknown.
      spdlog::debug("shapes are not inferred: {}", error.what());
    }
    const auto& graph = model_.graph();
    for (const auto& value : graph.value_info()) add_shape(value);
    for (const auto& value : graph.input()) add_shape(value);
    for (const auto& value : graph.output()) add_shape(value);
    for (const auto& tensor : graph.initializer()) {
      shapes_[tensor.name()] = {tensor.dims().begin(), tensor.dims().end()};
      tensors_[tensor.name()] = &tensor;
    }
    for (const auto& node : graph.node()) {
      const auto* value = node.op_type() == "Constant" ? find_attribute(node, "value") : nullptr;
      if (value != nullptr && node.output_size() == 1) tensors_[node.output(0)] = &value->t();
    }
  }

  const onnx::GraphProto& graph() const { return model_.graph(); }

  // Empty when unknown; kUnknown for a dynamic dimension.
  std::vector<int64_t> shape(const std::string& value) const {
    const auto found = shapes_.find(value);
    return found == shapes_.end() ? std::vector<int64_t>() : found->second;
  }

  std::vector<double> constant(const onnx::NodeProto& node, int input) const {
    if (input >= node.input_size()) return {};
    const auto found = tensors_.find(node.input(input));
    if (found == tensors_.end()) return {};
    const auto tensor = to_torch(*found->second);
    if (!tensor) return {};
    const auto values = tensor->to(torch::kFloat64).flatten();
    return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
  }

 private:
  void add_shape(const onnx::ValueInfoProto& value) {
    if (!value.type().tensor_type().has_shape()) return;
    std::vector<int64_t> shape;
    for (const auto& dimension : value.type().tensor_type().shape().dim()) {
      shape.push_back(dimension.has_dim_value() ? dimension.dim_value() : kUnknown);
    }
    shapes_[value.name()] = shape;
  }

  onnx::ModelProto model_;
  std::map<std::string, std::vector<int64_t>> shapes_;
  std::map<std::string, const onnx::TensorProto*> tensors_;
};

using Got = std::optional<std::string>;  // what breaks the rule; nothing when it holds
using Check = std::function<Got(const Model&, const onnx::NodeProto&)>;

std::string list(const std::vector<int64_t>& values) {
  return fmt::format("[{}]", fmt::join(values, ", "));
}

// The first number of the attribute that `holds` is false for.
template <class Holds>
Got check_ints(const onnx::NodeProto& node, const char* name, Holds holds) {
  for (const int64_t value : ints_of(node, name, {})) {
    if (!holds(value)) return fmt::format("{} {}", name, list(ints_of(node, name, {})));
  }
  return std::nullopt;
}

Got forbidden(const Model&, const onnx::NodeProto& node) { return node.op_type(); }

Got arg_max_axis(const Model&, const onnx::NodeProto& node) {
  const int64_t axis = int_of(node, "axis", 0);
  return axis == 1 ? Got() : fmt::format("axis {}", axis);
}

Got arg_max_channels(const Model& model, const onnx::NodeProto& node) {
  const auto shape = node.input_size() > 0 ? model.shape(node.input(0)) : std::vector<int64_t>();
  if (shape.size() < 2 || shape[1] <= 256) return std::nullopt;
  return fmt::format("{} channels", shape[1]);
}

Got upsample_factor(const Model& model, const onnx::NodeProto& node) {
  auto scales = model.constant(node, 1);
  if (const auto* attribute = find_attribute(node, "scales")) {
    scales.assign(attribute->floats().begin(), attribute->floats().end());
  }
  if (scales.empty()) return "factors that are computed";
  for (const double scale : scales) {
    const auto whole = static_cast<int64_t>(scale);
    if (static_cast<double>(whole) != scale || !is_power_of_two(whole)) {
      return fmt::format("factors [{}]", fmt::join(scales, ", "));
    }
  }
  return std::nullopt;
}

Got conv_kernel(const Model& model, const onnx::NodeProto& node) {
  auto kernel = ints_of(node, "kernel_shape", {});
  if (kernel.empty() && node.input_size() > 1) {
    const auto weight = model.shape(node.input(1));
    if (weight.size() > 2) kernel.assign(weight.begin() + 2, weight.end());
  }
  for (const int64_t side : kernel) {
    if (side > 17) return "kernel " + list(kernel);
  }
  return std::nullopt;
}

Got conv_dilation(const Model&, const onnx::NodeProto& node) {
  return check_ints(node, "dilations", [](int64_t value) { return value <= 5; });
}

Got conv_stride(const Model&, const onnx::NodeProto& node) {
  return check_ints(node, "strides", is_power_of_two);
}

Got slice_multiple(const Model& model, const onnx::NodeProto& node) {
  std::vector<double> bounds = model.constant(node, 1);
  const auto ends = model.constant(node, 2);
  bounds.insert(bounds.end(), ends.begin(), ends.end());
  for (const char* name : {"starts", "ends"}) {  // before opset 10
    for (const int64_t bound : ints_of(node, name, {})) {
      bounds.push_back(static_cast<double>(bound));
    }
  }
  if (bounds.empty()) return "bounds that are computed";
  for (const double bound : bounds) {
    // The greatest number means "to the end".
    if (bound >= static_cast<double>(std::numeric_limits<int32_t>::max())) continue;
    if (static_cast<int64_t>(bound) % 8 != 0) return fmt::format("bound {}", bound);
  }
  return std::nullopt;
}

Got concat_axis(const Model&, const onnx::NodeProto& node) {
  const int64_t axis = int_of(node, "axis", 0);
  return axis >= 1 && axis <= 3 ? Got() : fmt::format("axis {}", axis);
}

Got per_tensor(const Model& model, const onnx::NodeProto& node) {
  const auto scale = node.input_size() > 1 ? model.shape(node.input(1)) : std::vector<int64_t>();
  int64_t count = 1;
  for (const int64_t size : scale) count *= size;
  return count == 1 ? Got() : fmt::format("{} scales", count);
}

Got check_size(const std::vector<int64_t>& shape) {
  if (shape.size() != 4) return std::nullopt;
  if (shape[2] == kUnknown || shape[3] == kUnknown) return "dynamic height or width";
  if (shape[2] % 8 == 0 && shape[3] % 8 == 0) return std::nullopt;
  return fmt::format("{}x{}", shape[2], shape[3]);
}

struct Row {
  LintRule rule;
  std::vector<std::string_view> operators;
  Check check;
};

const std::vector<Row>& table() {
  static const std::vector<Row> rows{
      {{"no-softmax", "no Softmax", "hand out levels (ArgMax) or logits: no head needs it"},
       {"Softmax", "LogSoftmax"},
       forbidden},
      {{"no-resize", "no Resize", "export with profile npu, which writes Upsample"},
       {"Resize"},
       forbidden},
      {{"no-reshape", "no Reshape", "keep maps [N, C, H, W] from end to end"},
       {"Reshape", "Flatten", "Squeeze", "Unsqueeze"},
       forbidden},
      {{"argmax-axis", "ArgMax over the channels (axis 1)", "take the argmax over axis 1"},
       {"ArgMax"},
       arg_max_axis},
      {{"argmax-channels", "ArgMax over at most 256 channels", "use at most 256 levels"},
       {"ArgMax"},
       arg_max_channels},
      {{"upsample-factor", "Upsample by powers of two", "chain factors of 2"},
       {"Upsample"},
       upsample_factor},
      {{"conv-kernel", "convolution kernels of at most 17", "stack smaller kernels"},
       {"Conv", "ConvInteger", "QLinearConv", "ConvTranspose"},
       conv_kernel},
      {{"conv-dilation", "convolution dilation of at most 5", "use a smaller dilation"},
       {"Conv", "ConvInteger", "QLinearConv", "ConvTranspose"},
       conv_dilation},
      {{"conv-stride", "convolution strides that are powers of two", "use stride 1, 2 or 4"},
       {"Conv", "ConvInteger", "QLinearConv", "ConvTranspose"},
       conv_stride},
      {{"slice-multiple", "Slice bounds in multiples of 8", "cut at multiples of 8"},
       {"Slice"},
       slice_multiple},
      {{"concat-axis", "Concat along axis 1 to 3", "do not concatenate pictures of a batch"},
       {"Concat"},
       concat_axis},
      {{"per-tensor", "one scale for each tensor", "quantize per tensor: quantize --profile npu"},
       {"QuantizeLinear", "DequantizeLinear"},
       per_tensor}};
  return rows;
}

constexpr LintRule kSize{"size-multiple", "input height and width that are multiples of 8",
                         "export with --shape of such a size"};

std::string name_of(const onnx::NodeProto& node) {
  if (!node.name().empty()) return node.name();
  return node.op_type() + (node.output_size() > 0 ? " making " + node.output(0) : "");
}

}  // namespace

std::span<const LintRule> npu_rules() {
  static const std::vector<LintRule> rules = [] {
    std::vector<LintRule> all;
    for (const Row& row : table()) all.push_back(row.rule);
    all.push_back(kSize);
    return all;
  }();
  return rules;
}

std::vector<LintFinding> lint_for_npu(const OnnxFile& file) {
  const Model model(file.model());
  std::vector<LintFinding> findings;
  for (const auto& node : model.graph().node()) {
    for (const Row& row : table()) {
      if (std::ranges::find(row.operators, node.op_type()) == row.operators.end()) continue;
      if (const Got got = row.check(model, node)) {
        findings.push_back({name_of(node), row.rule, *got});
      }
    }
  }
  std::set<std::string> initializers;
  for (const auto& tensor : model.graph().initializer()) initializers.insert(tensor.name());
  for (const auto& input : model.graph().input()) {
    if (initializers.contains(input.name())) continue;
    if (const Got got = check_size(model.shape(input.name()))) {
      findings.push_back({"input " + input.name(), kSize, *got});
    }
  }
  return findings;
}

}  // namespace dualdepth::deploy
