#include "dualdepth/onnx/lint.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>

#include "lint_table.h"
#include "onnx_tensor.h"

namespace dualdepth {
namespace {

constexpr LintRule kSize{"size-multiple", "input height and width that are multiples of 8",
                         "export with --shape of such a size"};

LintGot check_size(const std::vector<int64_t>& shape) {
  if (shape.size() != 4) return std::nullopt;
  if (shape[2] == kUnknown || shape[3] == kUnknown) return "dynamic height or width";
  if (shape[2] % 8 == 0 && shape[3] % 8 == 0) return std::nullopt;
  return fmt::format("{}x{}", shape[2], shape[3]);
}

std::string name_of(const onnx::NodeProto& node) {
  if (!node.name().empty()) return node.name();
  return node.op_type() + (node.output_size() > 0 ? " making " + node.output(0) : "");
}

const std::vector<LintRow>& table_of(LintTarget target) {
  return target == LintTarget::kNpu ? npu_table() : tensorrt_table();
}

// Of the NPU alone.
void check_inputs(const LintedModel& model, std::vector<LintFinding>& findings) {
  std::set<std::string> initializers;
  for (const auto& tensor : model.graph().initializer()) initializers.insert(tensor.name());
  for (const auto& input : model.graph().input()) {
    if (initializers.contains(input.name())) continue;
    if (const LintGot got = check_size(model.shape(input.name()))) {
      findings.push_back({"input " + input.name(), kSize, *got});
    }
  }
}

}  // namespace

LintedModel::LintedModel(const onnx::ModelProto& model) : model_(model) {
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
    for (const auto& output : node.output()) makers_[output] = &node;
  }
}

std::vector<int64_t> LintedModel::shape(const std::string& value) const {
  const auto found = shapes_.find(value);
  return found == shapes_.end() ? std::vector<int64_t>() : found->second;
}

std::vector<double> LintedModel::constant(const onnx::NodeProto& node, int input) const {
  if (input >= node.input_size()) return {};
  const auto* found = tensor(node.input(input));
  if (found == nullptr) return {};
  const auto numbers = to_torch(*found);
  if (!numbers) return {};
  const auto values = numbers->to(torch::kFloat64).flatten();
  return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
}

const onnx::TensorProto* LintedModel::tensor(const std::string& value) const {
  const auto found = tensors_.find(value);
  return found == tensors_.end() ? nullptr : found->second;
}

const onnx::NodeProto* LintedModel::maker(const std::string& value) const {
  const auto found = makers_.find(value);
  return found == makers_.end() ? nullptr : found->second;
}

void LintedModel::add_shape(const onnx::ValueInfoProto& value) {
  if (!value.type().tensor_type().has_shape()) return;
  std::vector<int64_t> shape;
  for (const auto& dimension : value.type().tensor_type().shape().dim()) {
    shape.push_back(dimension.has_dim_value() ? dimension.dim_value() : kUnknown);
  }
  shapes_[value.name()] = shape;
}

std::vector<LintRule> lint_rules(LintTarget target) {
  std::vector<LintRule> rules;
  for (const LintRow& row : table_of(target)) rules.push_back(row.rule);
  if (target == LintTarget::kNpu) rules.push_back(kSize);
  return rules;
}

std::vector<LintFinding> lint(const OnnxFile& file, LintTarget target) {
  const LintedModel model(file.model());
  std::vector<LintFinding> findings;
  for (const auto& node : model.graph().node()) {
    for (const LintRow& row : table_of(target)) {
      if (std::ranges::find(row.operators, node.op_type()) == row.operators.end()) continue;
      if (const LintGot got = row.check(model, node)) {
        findings.push_back({name_of(node), row.rule, *got});
      }
    }
  }
  if (target == LintTarget::kNpu) check_inputs(model, findings);
  return findings;
}

}  // namespace dualdepth
