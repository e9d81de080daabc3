#include "openvino_tensor.h"

#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

struct Row {
  ov::element::Type_t element;
  torch::ScalarType type;
};
constexpr std::array kTypes{
    Row{ov::element::u8, torch::kUInt8},      Row{ov::element::i8, torch::kInt8},
    Row{ov::element::u16, torch::kUInt16},    Row{ov::element::i16, torch::kInt16},
    Row{ov::element::i32, torch::kInt32},     Row{ov::element::i64, torch::kInt64},
    Row{ov::element::boolean, torch::kBool},  Row{ov::element::f16, torch::kFloat16},
    Row{ov::element::bf16, torch::kBFloat16}, Row{ov::element::f32, torch::kFloat32},
    Row{ov::element::f64, torch::kFloat64}};

std::optional<torch::ScalarType> scalar_type(const ov::element::Type& type) {
  for (const Row& row : kTypes) {
    if (type == row.element) return row.type;
  }
  return std::nullopt;
}

}  // namespace

ov::element::Type element_type_of(torch::ScalarType type) {
  for (const Row& row : kTypes) {
    if (type == row.type) return row.element;
  }
  throw Error({.subject = "tensor",
               .expected = "integers of 8 to 64 bits, bool or floating point numbers",
               .got = toString(type),
               .fix = ""});
}

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
