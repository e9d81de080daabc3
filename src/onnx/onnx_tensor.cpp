#include "onnx_tensor.h"

#include <array>
#include <charconv>
#include <cstring>
#include <fstream>

namespace dualdepth {

namespace {

struct NamedType {
  int data_type;
  torch::ScalarType type;
};

constexpr std::array kTypes{NamedType{onnx::TensorProto::FLOAT, torch::kFloat32},
                            NamedType{onnx::TensorProto::DOUBLE, torch::kFloat64},
                            NamedType{onnx::TensorProto::FLOAT16, torch::kFloat16},
                            NamedType{onnx::TensorProto::BFLOAT16, torch::kBFloat16},
                            NamedType{onnx::TensorProto::INT64, torch::kInt64},
                            NamedType{onnx::TensorProto::INT32, torch::kInt32},
                            NamedType{onnx::TensorProto::INT16, torch::kInt16},
                            NamedType{onnx::TensorProto::INT8, torch::kInt8},
                            NamedType{onnx::TensorProto::UINT8, torch::kUInt8},
                            NamedType{onnx::TensorProto::BOOL, torch::kBool}};

// LibTorch holds and converts them, and computes nothing with them: codes of constants only.
constexpr NamedType kUnsigned16{onnx::TensorProto::UINT16, torch::kUInt16};

// Values that are not raw bytes: types of 16 bits and less take 32 bits each there.
template <class Stored>
torch::Tensor copied(const Stored& values, torch::ScalarType stored_as) {
  auto copy = torch::empty({values.size()}, stored_as);
  if (values.size() > 0) std::memcpy(copy.mutable_data_ptr(), values.data(), copy.nbytes());
  return copy;
}

torch::Tensor typed_values(const onnx::TensorProto& tensor, torch::ScalarType type) {
  if (type == torch::kFloat32) return copied(tensor.float_data(), type);
  if (type == torch::kFloat64) return copied(tensor.double_data(), type);
  if (type == torch::kInt64) return copied(tensor.int64_data(), type);
  const auto whole = copied(tensor.int32_data(), torch::kInt32);
  if (type == torch::kFloat16 || type == torch::kBFloat16)
    return whole.to(torch::kInt16).view(type);
  return whole.to(type);
}

// The bytes of a tensor in a file of its own; OnnxFile has checked where they lie.
std::optional<std::string> external_bytes(const onnx::TensorProto& tensor,
                                          const std::filesystem::path& model, size_t length) {
  const auto location =
      std::filesystem::absolute(model).parent_path() / external_entry(tensor, "location");
  size_t offset = 0;
  const auto text = external_entry(tensor, "offset");
  std::from_chars(text.data(), text.data() + text.size(), offset);
  std::ifstream file(location, std::ios::binary);
  std::string bytes(length, '\0');
  file.seekg(static_cast<std::streamoff>(offset));
  if (!file.read(bytes.data(), static_cast<std::streamsize>(length))) return std::nullopt;
  return bytes;
}

onnx::AttributeProto& new_attribute(onnx::NodeProto& node, const std::string& name,
                                    onnx::AttributeProto::AttributeType type) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(type);
  return *attribute;
}

}  // namespace

std::string external_entry(const onnx::TensorProto& tensor, const std::string& key) {
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == key) return entry.value();
  }
  return "";
}

std::optional<torch::ScalarType> scalar_type_of(int data_type) {
  for (const auto& known : kTypes) {
    if (known.data_type == data_type) return known.type;
  }
  return std::nullopt;
}

int element_type_of(torch::ScalarType type) {
  if (type == kUnsigned16.type) return kUnsigned16.data_type;
  for (const auto& known : kTypes) {
    if (known.type == type) return known.data_type;
  }
  TORCH_CHECK(false, "a type that ONNX has");
}

std::optional<torch::Tensor> to_torch(const onnx::TensorProto& tensor,
                                      const std::filesystem::path& model) {
  const bool has_unsigned_16 = tensor.data_type() == kUnsigned16.data_type;
  const auto type = has_unsigned_16 ? kUnsigned16.type : scalar_type_of(tensor.data_type());
  if (!type) return std::nullopt;
  // The sizes are checked against the bytes that are there before memory is taken.
  size_t bytes = c10::elementSize(*type);
  for (const int64_t size : tensor.dims()) {
    if (size < 0 || __builtin_mul_overflow(bytes, static_cast<size_t>(size), &bytes)) {
      return std::nullopt;
    }
  }
  const std::vector<int64_t> sizes(tensor.dims().begin(), tensor.dims().end());
  const size_t count = bytes / c10::elementSize(*type);
  std::optional<std::string> external;
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL) {
    std::error_code error;
    const auto location =
        std::filesystem::absolute(model).parent_path() / external_entry(tensor, "location");
    if (bytes > std::filesystem::file_size(location, error) || error) return std::nullopt;
    external = external_bytes(tensor, model, bytes);
    if (!external) return std::nullopt;
  } else if (!tensor.has_raw_data()) {
    const auto values = typed_values(tensor, *type);
    if (static_cast<size_t>(values.numel()) != count) return std::nullopt;
    return values.view(sizes);
  }
  const std::string& raw = external ? *external : tensor.raw_data();
  if (raw.size() != bytes) return std::nullopt;
  auto values = torch::empty(sizes, *type);
  if (bytes > 0) std::memcpy(values.mutable_data_ptr(), raw.data(), bytes);
  return values;
}

void set_tensor(onnx::TensorProto& proto, const std::string& name, const torch::Tensor& tensor,
                const std::vector<int64_t>& shape) {
  proto.set_name(name);
  proto.set_data_type(element_type_of(tensor.scalar_type()));
  for (const int64_t size : shape) proto.add_dims(size);
  const auto values = tensor.contiguous();
  proto.set_raw_data(values.const_data_ptr(), values.nbytes());
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

void set_attribute(onnx::NodeProto& node, const std::string& name, const std::string& value) {
  new_attribute(node, name, onnx::AttributeProto::STRING).set_s(value);
}

void set_attribute(onnx::NodeProto& node, const std::string& name,
                   const std::vector<int64_t>& values) {
  auto& attribute = new_attribute(node, name, onnx::AttributeProto::INTS);
  for (const int64_t value : values) attribute.add_ints(value);
}

void set_attribute(onnx::NodeProto& node, const std::string& name,
                   const std::vector<float>& values) {
  auto& attribute = new_attribute(node, name, onnx::AttributeProto::FLOATS);
  for (const float value : values) attribute.add_floats(value);
}

}  // namespace dualdepth
