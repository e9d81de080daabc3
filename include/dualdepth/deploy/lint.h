#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dualdepth/runtime/onnx_file.h"

namespace dualdepth::deploy {

// What a chip asks of a model, one rule of a target's table.
struct LintRule {
  std::string_view name;  // "conv-kernel"
  std::string_view says;  // what must hold
  std::string_view fix;   // what to do where it does not
};

// The rules of the near-field NPU (per-tensor INT8 only), in the order of the report.
std::span<const LintRule> npu_rules();

// A rule that a node breaks. `node` is the node's name, or its operator and output where it has
// none.
struct LintFinding {
  std::string node;
  LintRule rule;
  std::string got;
};

// Every break of a rule in any ONNX file, also another exporter's. Shapes are inferred first.
std::vector<LintFinding> lint_for_npu(const OnnxFile& file);

}  // namespace dualdepth::deploy
