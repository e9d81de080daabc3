#include "openvino_tensor.h"

#include <cstring>
#include <optional>
#include <vector>

#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

std::optional<torch::ScalarType> scalar_type(const ov::element::Type& type) {
  switch (type) {
    case ov::element::u8:
      return torch::kUInt8;
    case ov::element::i8:
      return torch::kInt8;
    case ov::element::u16:
      return torch::kUInt16;
    case ov::element::i16:
      return torch::kInt16;
    case ov::element::i32:
      return torch::kInt32;
    case ov::element::i64:
      return torch::kInt64;
    case ov::element::boolean:
      return torch::kBool;
    case ov::element::f16:
      return torch::kFloat16;
    case ov::element::bf16:
      return torch::kBFloat16;
    case ov::element::f32:
      return torch::kFloat32;
    case ov::element::f64:
      return torch::kFloat64;
    default:
      return std::nullopt;
  }
}

}  // namespace

torch::Tensor copy_output(const ov::Tensor& tensor, const std::string& output) {
  const auto type = scalar_type(tensor.get_element_type());
  if (!type) {
    throw Error({.subject = "output " + output,
                 .expected = "integers of 8 to 64 bits, bool or floating point numbers",
                 .got = tensor.get_element_type().get_type_name(),
                 .fix = "add a Cast to float or int64 to the model"});
  }
  const auto& shape = tensor.get_shape();
  const auto copy = torch::empty(std::vector<int64_t>(shape.begin(), shape.end()), *type);
  if (copy.nbytes() != tensor.get_byte_size()) {
    throw Error({.subject = "output " + output,
                 .expected = std::to_string(copy.nbytes()) + " bytes",
                 .got = std::to_string(tensor.get_byte_size()),
                 .fix = ""});
  }
  std::memcpy(copy.mutable_data_ptr(), tensor.data(), copy.nbytes());
  // LibTorch computes little with uint16.
  return *type == torch::kUInt16 ? copy.to(torch::kInt32) : copy;
}

}  // namespace dualdepth
