#pragma once

#include <onnx/onnx_pb.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dualdepth/onnx/lint.h"

namespace dualdepth {

constexpr int64_t kUnknown = -1;

// What the checks look at besides the node: shapes of values, values of constants, who makes what.
class LintedModel {
 public:
  explicit LintedModel(const onnx::ModelProto& model);

  const onnx::GraphProto& graph() const { return model_.graph(); }

  // Empty when unknown; kUnknown for a dynamic dimension.
  std::vector<int64_t> shape(const std::string& value) const;

  // Numbers of a constant that the node reads; empty when it is none.
  std::vector<double> constant(const onnx::NodeProto& node, int input) const;

  // The initializer or Constant behind a value; nullptr when it is computed.
  const onnx::TensorProto* tensor(const std::string& value) const;

  // The node that makes a value; nullptr for inputs and initializers.
  const onnx::NodeProto* maker(const std::string& value) const;

 private:
  void add_shape(const onnx::ValueInfoProto& value);

  onnx::ModelProto model_;
  std::map<std::string, std::vector<int64_t>> shapes_;
  std::map<std::string, const onnx::TensorProto*> tensors_;
  std::map<std::string, const onnx::NodeProto*> makers_;
};

using LintGot = std::optional<std::string>;  // what breaks the rule; nothing when it holds

// A rule of a target's table and the operators that it is about.
struct LintRow {
  LintRule rule;
  std::vector<std::string_view> operators;
  std::function<LintGot(const LintedModel&, const onnx::NodeProto&)> check;
};

const std::vector<LintRow>& npu_table();
const std::vector<LintRow>& tensorrt_table();

}  // namespace dualdepth
