#pragma once

#include <onnx/onnx_pb.h>
#include <torch/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace dualdepth {

// Entry of a tensor's external_data; empty without it.
std::string external_entry(const onnx::TensorProto& tensor, const std::string& key);

// The numbers of a tensor on the CPU, external data read from the folder of `model`; nothing for a
// type without numbers or bytes that do not fit the dimensions.
std::optional<torch::Tensor> to_torch(const onnx::TensorProto& tensor,
                                      const std::filesystem::path& model);

// Between TensorProto::DataType and LibTorch's types; nothing for text, complex numbers and types
// below 8 bits.
std::optional<torch::ScalarType> scalar_type_of(int data_type);
int element_type_of(torch::ScalarType type);

// Sets a tensor's name, sizes and numbers; `shape` has as many.
void set_tensor(onnx::TensorProto& proto, const std::string& name, const torch::Tensor& tensor,
                const std::vector<int64_t>& shape);

// The node's attribute; nullptr when it has none of that name.
const onnx::AttributeProto* find_attribute(const onnx::NodeProto& node, const char* name);

// The attribute's whole numbers; `otherwise` when there is none.
std::vector<int64_t> ints_of(const onnx::NodeProto& node, const char* name,
                             std::vector<int64_t> otherwise);
int64_t int_of(const onnx::NodeProto& node, const char* name, int64_t otherwise);
std::string string_of(const onnx::NodeProto& node, const char* name, const char* otherwise);

// Adds an attribute to a node.
void set_attribute(onnx::NodeProto& node, const std::string& name, int64_t value);
void set_attribute(onnx::NodeProto& node, const std::string& name, float value);
void set_attribute(onnx::NodeProto& node, const std::string& name, const std::string& value);
void set_attribute(onnx::NodeProto& node, const std::string& name,
                   const std::vector<int64_t>& values);
void set_attribute(onnx::NodeProto& node, const std::string& name,
                   const std::vector<float>& values);

}  // namespace dualdepth
