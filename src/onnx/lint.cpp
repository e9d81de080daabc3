#include "dualdepth/onnx/lint.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>

#include "lint_table.h"

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
void check_inputs(const OnnxView& model, std::vector<LintFinding>& findings) {
  for (const auto& input : model.graph().input()) {
    if (model.tensor(input.name()) != nullptr) continue;
    if (const LintGot got = check_size(model.shape(input.name()))) {
      findings.push_back({"input " + input.name(), kSize, *got});
    }
  }
}

}  // namespace

std::vector<double> numbers_of(const OnnxView& model, const onnx::NodeProto& node, int input) {
  if (input >= node.input_size()) return {};
  const auto numbers = model.constant(node.input(input));
  if (!numbers) return {};
  const auto values = numbers->to(torch::kFloat64).flatten().contiguous();
  return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
}

std::vector<LintRule> lint_rules(LintTarget target) {
  std::vector<LintRule> rules;
  for (const LintRow& row : table_of(target)) rules.push_back(row.rule);
  if (target == LintTarget::kNpu) rules.push_back(kSize);
  return rules;
}

std::vector<LintFinding> lint(const OnnxFile& file, LintTarget target) {
  OnnxView model(file);
  model.infer_shapes();
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
