#include "onnx_tensor.h"

#include <cstring>

namespace dualdepth::deploy {

std::optional<torch::Tensor> to_torch(const onnx::TensorProto& tensor) {
  const bool is_float = tensor.data_type() == onnx::TensorProto::FLOAT;
  const bool is_int64 = tensor.data_type() == onnx::TensorProto::INT64;
  if ((!is_float && !is_int64) || tensor.data_location() == onnx::TensorProto::EXTERNAL) {
    return std::nullopt;
  }
  // Held against the bytes that are there before memory is taken.
  const size_t width = is_float ? sizeof(float) : sizeof(int64_t);
  const size_t stored = tensor.has_raw_data() ? tensor.raw_data().size() / width
                        : is_float            ? static_cast<size_t>(tensor.float_data_size())
                                              : static_cast<size_t>(tensor.int64_data_size());
  int64_t count = 1;
  for (const int64_t size : tensor.dims()) {
    if (size < 0 || __builtin_mul_overflow(count, size, &count)) return std::nullopt;
  }
  if (static_cast<size_t>(count) != stored) return std::nullopt;
  const std::vector<int64_t> sizes(tensor.dims().begin(), tensor.dims().end());
  auto values = torch::empty(sizes, is_float ? torch::kFloat32 : torch::kInt64);
  const void* source = tensor.has_raw_data() ? static_cast<const void*>(tensor.raw_data().data())
                       : is_float            ? static_cast<const void*>(tensor.float_data().data())
                                             : static_cast<const void*>(tensor.int64_data().data());
  if (count > 0) std::memcpy(values.mutable_data_ptr(), source, values.nbytes());
  return values;
}

const onnx::AttributeProto* find_attribute(const onnx::NodeProto& node, const char* name) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

std::vector<int64_t> ints_of(const onnx::NodeProto& node, const char* name,
                             std::vector<int64_t> otherwise) {
  const auto* attribute = find_attribute(node, name);
  if (attribute == nullptr) return otherwise;
  return {attribute->ints().begin(), attribute->ints().end()};
}

int64_t int_of(const onnx::NodeProto& node, const char* name, int64_t otherwise) {
  const auto* attribute = find_attribute(node, name);
  return attribute == nullptr ? otherwise : attribute->i();
}

std::string string_of(const onnx::NodeProto& node, const char* name, const char* otherwise) {
  const auto* attribute = find_attribute(node, name);
  return attribute == nullptr ? otherwise : attribute->s();
}

}  // namespace dualdepth::deploy
