#pragma once

#include <onnx/onnx_pb.h>
#include <torch/types.h>

#include <optional>

namespace dualdepth {

// The values of an initializer of float, int8, uint8, int32 or int64 on the CPU; nothing for
// another type, external data or bytes that do not fit the dimensions.
std::optional<torch::Tensor> to_torch(const onnx::TensorProto& tensor);

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
void set_attribute(onnx::NodeProto& node, const std::string& name, const char* value);
void set_attribute(onnx::NodeProto& node, const std::string& name,
                   const std::vector<int64_t>& values);

}  // namespace dualdepth
