#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dualdepth/config/field.h"
#include "dualdepth/onnx/onnx_file.h"

namespace dualdepth {

enum class LintTarget {
  kNpu,       // the near-field NPU, per-tensor INT8 only
  kTensorRt,  // TensorRT with explicit Q/DQ
};

template <>
struct EnumNames<LintTarget> {
  static constexpr std::array values{std::pair{LintTarget::kNpu, "npu"},
                                     std::pair{LintTarget::kTensorRt, "tensorrt"}};
};

// What a chip asks of a model, one rule of a target's table.
struct LintRule {
  std::string_view name;  // "conv-kernel"
  std::string_view says;  // what must hold
  std::string_view fix;   // what to do where it does not
};

// The target's rules, in the order of the report.
std::vector<LintRule> lint_rules(LintTarget target);

// A rule that a node breaks. `node` is the node's name, or its operator and output where it has
// none.
struct LintFinding {
  std::string node;
  LintRule rule;
  std::string got;
};

// Every break of a rule in any ONNX file, also another exporter's. Shapes are inferred first.
std::vector<LintFinding> lint(const OnnxFile& file, LintTarget target);

}  // namespace dualdepth
