#include "onnx_tensor.h"

#include <cstring>

namespace dualdepth {

namespace {

// Where the values of one type are kept when they are not raw bytes: small whole numbers take 32
// bits each there.
struct Storage {
  torch::ScalarType type;
  const void* typed;
  size_t typed_count;
  bool widened;
};

std::optional<Storage> storage_of(const onnx::TensorProto& tensor) {
  const auto ints = [&](torch::ScalarType type, bool widened) {
    return Storage{type, tensor.int32_data().data(), static_cast<size_t>(tensor.int32_data_size()),
                   widened};
  };
  switch (tensor.data_type()) {
    case onnx::TensorProto::FLOAT:
      return Storage{torch::kFloat32, tensor.float_data().data(),
                     static_cast<size_t>(tensor.float_data_size()), false};
    case onnx::TensorProto::INT64:
      return Storage{torch::kInt64, tensor.int64_data().data(),
                     static_cast<size_t>(tensor.int64_data_size()), false};
    case onnx::TensorProto::INT32:
      return ints(torch::kInt32, false);
    case onnx::TensorProto::INT8:
      return ints(torch::kInt8, true);
    case onnx::TensorProto::UINT8:
      return ints(torch::kUInt8, true);
    case onnx::TensorProto::INT16:
      return ints(torch::kInt16, true);
    case onnx::TensorProto::UINT16:
      return ints(torch::kUInt16, true);
    default:
      return std::nullopt;
  }
}

onnx::AttributeProto& new_attribute(onnx::NodeProto& node, const std::string& name,
                                    onnx::AttributeProto::AttributeType type) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(type);
  return *attribute;
}

}  // namespace

std::optional<torch::Tensor> to_torch(const onnx::TensorProto& tensor) {
  const auto storage = storage_of(tensor);
  if (!storage || tensor.data_location() == onnx::TensorProto::EXTERNAL) return std::nullopt;
  // Held against the bytes that are there before memory is taken.
  const size_t width = c10::elementSize(storage->type);
  const bool raw = tensor.has_raw_data();
  const size_t stored = raw ? tensor.raw_data().size() / width : storage->typed_count;
  int64_t count = 1;
  for (const int64_t size : tensor.dims()) {
    if (size < 0 || __builtin_mul_overflow(count, size, &count)) return std::nullopt;
  }
  if (static_cast<size_t>(count) != stored) return std::nullopt;
  const std::vector<int64_t> sizes(tensor.dims().begin(), tensor.dims().end());
  const bool widened = !raw && storage->widened;
  auto values = torch::empty(sizes, widened ? torch::kInt32 : storage->type);
  const void* source = raw ? static_cast<const void*>(tensor.raw_data().data()) : storage->typed;
  if (count > 0) std::memcpy(values.mutable_data_ptr(), source, values.nbytes());
  return values.to(storage->type);
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

void set_attribute(onnx::NodeProto& node, const std::string& name, int64_t value) {
  new_attribute(node, name, onnx::AttributeProto::INT).set_i(value);
}

void set_attribute(onnx::NodeProto& node, const std::string& name, float value) {
  new_attribute(node, name, onnx::AttributeProto::FLOAT).set_f(value);
}

void set_attribute(onnx::NodeProto& node, const std::string& name, const char* value) {
  new_attribute(node, name, onnx::AttributeProto::STRING).set_s(value);
}

void set_attribute(onnx::NodeProto& node, const std::string& name,
                   const std::vector<int64_t>& values) {
  auto& attribute = new_attribute(node, name, onnx::AttributeProto::INTS);
  for (const int64_t value : values) attribute.add_ints(value);
}

}  // namespace dualdepth
