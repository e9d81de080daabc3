#include "dualdepth/onnx/lint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <fstream>

#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using testing::TempFolder;

// A model of one node over x [1, 8, H, W].
class OneNode {
 public:
  explicit OneNode(const char* kind, int64_t height = 64, int64_t width = 96) {
    model_.set_ir_version(7);
    model_.add_opset_import()->set_version(13);
    auto* graph = model_.mutable_graph();
    graph->set_name("g");
    auto* input = graph->add_input();
    input->set_name("x");
    auto* tensor = input->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(onnx::TensorProto::FLOAT);
    for (const int64_t size : {int64_t{1}, int64_t{8}, height, width}) {
      tensor->mutable_shape()->add_dim()->set_dim_value(size);
    }
    graph->add_output()->set_name("y");
    node_ = graph->add_node();
    node_->set_name("the_node");
    node_->set_op_type(kind);
    node_->add_input("x");
    node_->add_output("y");
  }

  OneNode& ints(const char* name, std::initializer_list<int64_t> values) {
    auto* attribute = node_->add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::INTS);
    for (const int64_t value : values) attribute->add_ints(value);
    return *this;
  }
  OneNode& number(const char* name, int64_t value) {
    auto* attribute = node_->add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::INT);
    attribute->set_i(value);
    return *this;
  }
  OneNode& floats(const char* input, std::initializer_list<int64_t> dims,
                  std::initializer_list<float> values) {
    auto* tensor = add_constant(input, dims);
    tensor->set_data_type(onnx::TensorProto::FLOAT);
    for (const float value : values) tensor->add_float_data(value);
    return *this;
  }
  OneNode& whole(const char* input, std::initializer_list<int64_t> values) {
    auto* tensor = add_constant(input, {static_cast<int64_t>(values.size())});
    tensor->set_data_type(onnx::TensorProto::INT64);
    for (const int64_t value : values) tensor->add_int64_data(value);
    return *this;
  }
  OneNode& channels(int64_t count) {
    model_.mutable_graph()
        ->mutable_input(0)
        ->mutable_type()
        ->mutable_tensor_type()
        ->mutable_shape()
        ->mutable_dim(1)
        ->set_dim_value(count);
    return *this;
  }

  // Names of the rules that it breaks; each finding must be of the node or the input.
  std::vector<std::string> broken() const {
    const TempFolder folder;
    std::ofstream(folder / "m.onnx", std::ios::binary) << model_.SerializeAsString();
    std::vector<std::string> rules;
    for (const LintFinding& finding : lint(OnnxFile(folder / "m.onnx"), LintTarget::kNpu)) {
      EXPECT_TRUE(finding.node == "the_node" || finding.node == "input x") << finding.node;
      EXPECT_FALSE(finding.got.empty() || finding.rule.fix.empty());
      rules.emplace_back(finding.rule.name);
    }
    return rules;
  }

 private:
  onnx::TensorProto* add_constant(const char* name, std::initializer_list<int64_t> dims) {
    auto* tensor = model_.mutable_graph()->add_initializer();
    tensor->set_name(name);
    for (const int64_t size : dims) tensor->add_dims(size);
    node_->add_input(name);
    return tensor;
  }

  onnx::ModelProto model_;
  onnx::NodeProto* node_;
};

struct BrokenRule {
  const char* rule;
  OneNode broken, kept;
};

void PrintTo(const BrokenRule& c, std::ostream* out) { *out << c.rule; }

std::vector<BrokenRule> cases() {
  return {
      {"no-softmax", OneNode("Softmax"), OneNode("Sigmoid")},
      {"no-resize", OneNode("Resize").floats("roi", {0}, {}).floats("s", {4}, {1, 1, 2, 2}),
       OneNode("Upsample").floats("s", {4}, {1, 1, 2, 2})},
      {"no-reshape", OneNode("Reshape").whole("shape", {1, -1}), OneNode("Relu")},
      {"argmax-axis", OneNode("ArgMax").number("axis", 2), OneNode("ArgMax").number("axis", 1)},
      {"argmax-channels", OneNode("ArgMax").number("axis", 1).channels(257),
       OneNode("ArgMax").number("axis", 1).channels(256)},
      {"upsample-factor", OneNode("Upsample").floats("s", {4}, {1, 1, 3, 3}),
       OneNode("Upsample").floats("s", {4}, {1, 1, 4, 4})},
      {"conv-kernel", OneNode("Conv").ints("kernel_shape", {18, 18}),
       OneNode("Conv").ints("kernel_shape", {17, 17})},
      {"conv-dilation", OneNode("Conv").ints("dilations", {6, 6}),
       OneNode("Conv").ints("dilations", {5, 5})},
      {"conv-stride", OneNode("Conv").ints("strides", {3, 3}),
       OneNode("Conv").ints("strides", {4, 4})},
      {"slice-multiple", OneNode("Slice").whole("starts", {4}).whole("ends", {16}),
       OneNode("Slice").whole("starts", {8}).whole("ends", {16})},
      {"concat-axis", OneNode("Concat").number("axis", 0), OneNode("Concat").number("axis", 3)},
      {"per-tensor", OneNode("QuantizeLinear").floats("scale", {8}, {1, 1, 1, 1, 1, 1, 1, 1}),
       OneNode("QuantizeLinear").floats("scale", {}, {1})},
      {"size-multiple", OneNode("Relu", 60, 96), OneNode("Relu", 64, 104)},
  };
}

class NpuRule : public ::testing::TestWithParam<BrokenRule> {};

TEST_P(NpuRule, IsFoundWhereItIsBrokenAndNotWhereItHolds) {
  EXPECT_THAT(GetParam().broken.broken(), ::testing::ElementsAre(GetParam().rule));
  EXPECT_THAT(GetParam().kept.broken(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Table, NpuRule, ::testing::ValuesIn(cases()), [](const auto& info) {
  std::string name = info.param.rule;
  std::erase(name, '-');
  return name;
});

TEST(NpuRules, EachHasATestOfItsOwn) {
  std::vector<std::string> tested;
  for (const BrokenRule& one : cases()) tested.emplace_back(one.rule);
  for (const LintRule& rule : lint_rules(LintTarget::kNpu))
    EXPECT_THAT(tested, Contains(std::string(rule.name)));
}

// A model of several nodes for TensorRT's rules.
class Nodes {
 public:
  Nodes() {
    model_.set_ir_version(7);
    model_.add_opset_import()->set_version(13);
    model_.mutable_graph()->set_name("g");
    model_.mutable_graph()->add_input()->set_name("x");
    model_.mutable_graph()->add_output()->set_name("x");
  }

  Nodes& zero(const char* name, onnx::TensorProto::DataType type, int32_t value) {
    auto* tensor = constant(name, type);
    tensor->add_int32_data(value);
    return *this;
  }
  Nodes& scales(const char* name, std::initializer_list<float> values) {
    auto* tensor = constant(name, onnx::TensorProto::FLOAT);
    tensor->add_dims(static_cast<int64_t>(values.size()));
    for (const float value : values) tensor->add_float_data(value);
    return *this;
  }
  Nodes& node(const char* kind, std::initializer_list<const char*> inputs, const char* output) {
    auto* made = model_.mutable_graph()->add_node();
    made->set_op_type(kind);
    for (const char* input : inputs) made->add_input(input);
    made->add_output(output);
    return *this;
  }

  std::vector<std::string> broken() const {
    const TempFolder folder;
    std::ofstream(folder / "m.onnx", std::ios::binary) << model_.SerializeAsString();
    std::vector<std::string> rules;
    for (const auto& finding : lint(OnnxFile(folder / "m.onnx"), LintTarget::kTensorRt)) {
      rules.emplace_back(finding.rule.name);
    }
    return rules;
  }

 private:
  onnx::TensorProto* constant(const char* name, onnx::TensorProto::DataType type) {
    auto* tensor = model_.mutable_graph()->add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(type);
    return tensor;
  }

  onnx::ModelProto model_;
};

// Constants that the models below share: z, an int8 zero; s and t, scales.
Nodes with_scales() {
  return Nodes()
      .zero("z", onnx::TensorProto::INT8, 0)
      .scales("s", {0.5F})
      .scales("t", {0.25F})
      .scales("each", {0.5F, 0.25F})
      .zero("w", onnx::TensorProto::INT8, 3);
}

struct BrokenTensorRtRule {
  const char* rule;
  Nodes broken, kept;
};

void PrintTo(const BrokenTensorRtRule& c, std::ostream* out) { *out << c.rule; }

std::vector<BrokenTensorRtRule> tensorrt_cases() {
  const auto type = onnx::TensorProto::UINT8;
  return {
      {"int8", with_scales().zero("u", type, 0).node("QuantizeLinear", {"x", "s", "u"}, "q"),
       with_scales().node("QuantizeLinear", {"x", "s", "z"}, "q")},
      {"zero-point", with_scales().node("QuantizeLinear", {"x", "s", "w"}, "q"),
       with_scales().node("DequantizeLinear", {"x", "s"}, "q")},
      {"per-tensor-values", with_scales().node("QuantizeLinear", {"x", "each", "z"}, "q"),
       with_scales().node("DequantizeLinear", {"w", "each", "z"}, "q")},
      {"float-bias",
       with_scales()
           .node("DequantizeLinear", {"w", "s", "z"}, "b")
           .node("Conv", {"x", "s", "b"}, "y"),
       with_scales().node("Conv", {"x", "s", "t"}, "y")},
      {"add-in-float",
       with_scales()
           .node("DequantizeLinear", {"x", "s", "z"}, "a")
           .node("DequantizeLinear", {"x", "t", "z"}, "b")
           .node("Add", {"a", "b"}, "y"),
       with_scales().node("DequantizeLinear", {"x", "s", "z"}, "a").node("Add", {"a", "x"}, "y")},
      {"concat-scale",
       with_scales()
           .node("DequantizeLinear", {"x", "s", "z"}, "a")
           .node("DequantizeLinear", {"x", "t", "z"}, "b")
           .node("Concat", {"a", "b"}, "y"),
       with_scales()
           .node("DequantizeLinear", {"x", "s", "z"}, "a")
           .node("DequantizeLinear", {"x", "s", "z"}, "b")
           .node("Concat", {"a", "b"}, "y")},
  };
}

class TensorRtRule : public ::testing::TestWithParam<BrokenTensorRtRule> {};

TEST_P(TensorRtRule, IsFoundWhereItIsBrokenAndNotWhereItHolds) {
  EXPECT_THAT(GetParam().broken.broken(), ::testing::ElementsAre(GetParam().rule));
  EXPECT_THAT(GetParam().kept.broken(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Table, TensorRtRule, ::testing::ValuesIn(tensorrt_cases()),
                         [](const auto& info) {
                           std::string name = info.param.rule;
                           std::erase(name, '-');
                           return name;
                         });

TEST(TensorRtRules, EachHasATestOfItsOwn) {
  std::vector<std::string> tested;
  for (const auto& one : tensorrt_cases()) tested.emplace_back(one.rule);
  for (const LintRule& rule : lint_rules(LintTarget::kTensorRt)) {
    EXPECT_THAT(tested, Contains(std::string(rule.name)));
  }
}

}  // namespace
}  // namespace dualdepth
