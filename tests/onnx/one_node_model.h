#pragma once

#include <onnx/onnx_pb.h>

#include <fstream>
#include <initializer_list>
#include <string>
#include <vector>

#include "testing/temp_folder.h"

namespace dualdepth::testing {

// Builds small ONNX models, also broken ones. The graph has an input `x` [1, 3, 8, 8].
class ModelBuilder {
 public:
  explicit ModelBuilder(int64_t opset = 13) {
    model.set_ir_version(8);
    model.add_opset_import()->set_version(opset);
    model.mutable_graph()->set_name("g");
    add_input("x", {1, 3, 8, 8});
  }

  void add_input(const std::string& name, std::initializer_list<int64_t> sizes) {
    auto* input = graph().add_input();
    input->set_name(name);
    auto* tensor = input->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(onnx::TensorProto::FLOAT);
    for (const int64_t size : sizes) tensor->mutable_shape()->add_dim()->set_dim_value(size);
  }

  onnx::NodeProto& add(const std::string& kind, const std::vector<std::string>& inputs,
                       const std::string& output) {
    auto* node = graph().add_node();
    node->set_op_type(kind);
    node->set_name("the_" + kind);
    for (const auto& input : inputs) node->add_input(input);
    node->add_output(output);
    return *node;
  }

  void add_floats(const std::string& name, const std::vector<int64_t>& sizes,
                  const std::vector<float>& values) {
    auto& tensor = add_tensor(name, sizes, onnx::TensorProto::FLOAT);
    for (const float value : values) tensor.add_float_data(value);
  }
  // int8, uint8 or int32.
  void add_codes(const std::string& name, const std::vector<int64_t>& sizes,
                 const std::vector<int>& values, onnx::TensorProto::DataType type) {
    auto& tensor = add_tensor(name, sizes, type);
    for (const int value : values) tensor.add_int32_data(value);
  }
  void add_integers(const std::string& name, const std::vector<int64_t>& values) {
    auto& tensor =
        add_tensor(name, {static_cast<int64_t>(values.size())}, onnx::TensorProto::INT64);
    for (const int64_t value : values) tensor.add_int64_data(value);
  }

  static void set(onnx::NodeProto& node, const char* name, const std::vector<int64_t>& values) {
    auto* attribute = node.add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::INTS);
    for (const int64_t value : values) attribute->add_ints(value);
  }
  static void set(onnx::NodeProto& node, const char* name, int64_t value) {
    auto* attribute = node.add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::INT);
    attribute->set_i(value);
  }

  void end(const std::string& output) { graph().add_output()->set_name(output); }

  // A float map of any size, with the type that ONNX's checker asks for.
  void end_map(const std::string& output) {
    end(output);
    auto* type = graph().mutable_output(graph().output_size() - 1)->mutable_type();
    type->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
    for (int i = 0; i < 4; ++i) type->mutable_tensor_type()->mutable_shape()->add_dim();
  }

  onnx::GraphProto& graph() { return *model.mutable_graph(); }

  std::filesystem::path write(const TempFolder& folder) const {
    const auto file = folder / "m.onnx";
    std::ofstream(file, std::ios::binary) << model.SerializeAsString();
    return file;
  }

  onnx::ModelProto model;

 private:
  onnx::TensorProto& add_tensor(const std::string& name, const std::vector<int64_t>& sizes,
                                onnx::TensorProto::DataType type) {
    auto* tensor = graph().add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(type);
    for (const int64_t size : sizes) tensor->add_dims(size);
    return *tensor;
  }
};

}  // namespace dualdepth::testing
