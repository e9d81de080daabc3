#include "dualdepth/model/tensor_file.h"

#include <array>
#include <cstring>
#include <utility>

#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

constexpr std::array kTypes{
    std::pair{torch::kBool, TensorType::kBool},   std::pair{torch::kUInt8, TensorType::kU8},
    std::pair{torch::kInt8, TensorType::kI8},     std::pair{torch::kInt16, TensorType::kI16},
    std::pair{torch::kInt32, TensorType::kI32},   std::pair{torch::kInt64, TensorType::kI64},
    std::pair{torch::kFloat16, TensorType::kF16}, std::pair{torch::kBFloat16, TensorType::kBF16},
    std::pair{torch::kFloat32, TensorType::kF32}, std::pair{torch::kFloat64, TensorType::kF64}};

TensorType stored_type(const std::string& name, torch::ScalarType type) {
  for (const auto& [ours, stored] : kTypes) {
    if (ours == type) return stored;
  }
  throw Error({.subject = "tensor " + name,
               .expected = "a type that safetensors knows",
               .got = torch::toString(type),
               .fix = ""});
}

torch::ScalarType tensor_type(TensorType type) {
  for (const auto& [ours, stored] : kTypes) {
    if (stored == type) return ours;
  }
  throw Error("safetensors type without a tensor type");
}

torch::Tensor copy_of(const TensorView& view) {
  auto tensor = torch::empty(view.shape, torch::dtype(tensor_type(view.type)));
  if (!view.bytes.empty()) {
    std::memcpy(tensor.mutable_data_ptr(), view.bytes.data(), view.bytes.size());
  }
  return tensor;
}

}  // namespace

void write_tensors(const std::filesystem::path& file, const NamedTensors& tensors,
                   const std::map<std::string, std::string>& metadata) {
  NamedTensors row_major;  // keeps the copies alive that the views look at
  std::map<std::string, TensorView> views;
  for (const auto& [name, tensor] : tensors) {
    const auto& kept =
        row_major.emplace(name, tensor.detach().to(torch::kCPU).contiguous()).first->second;
    views.emplace(name, TensorView{.type = stored_type(name, kept.scalar_type()),
                                   .shape = kept.sizes().vec(),
                                   .bytes = {static_cast<const std::byte*>(kept.const_data_ptr()),
                                             kept.nbytes()}});
  }
  write_safetensors(file, views, metadata);
}

NamedTensors read_tensors(const SafetensorsFile& file, std::string_view prefix) {
  NamedTensors tensors;
  for (const auto& [name, view] : file.tensors()) {
    if (name.starts_with(prefix)) tensors.emplace(name.substr(prefix.size()), copy_of(view));
  }
  return tensors;
}

void add_with_prefix(NamedTensors& all, std::string_view prefix, const NamedTensors& tensors) {
  for (const auto& [name, tensor] : tensors) all.emplace(std::string(prefix) + name, tensor);
}

}  // namespace dualdepth
