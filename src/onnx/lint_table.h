#pragma once

#include <onnx/onnx_pb.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dualdepth/onnx/lint.h"
#include "onnx_view.h"

namespace dualdepth {

// The numbers of a constant that a node reads; none when that is computed, or there is no such
// input.
std::vector<double> numbers_of(const OnnxView& model, const onnx::NodeProto& node, int input);

using LintGot = std::optional<std::string>;  // what breaks the rule; nothing when it holds

// A rule of a target's table and the operators that it is about.
struct LintRow {
  LintRule rule;
  std::vector<std::string_view> operators;
  std::function<LintGot(const OnnxView&, const onnx::NodeProto&)> check;
};

const std::vector<LintRow>& npu_table();
const std::vector<LintRow>& tensorrt_table();

}  // namespace dualdepth
