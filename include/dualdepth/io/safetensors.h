#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace dualdepth {

// The safetensors container (huggingface.co/docs/safetensors): 8 bytes little-endian header length,
// a JSON header {name: {dtype, shape, data_offsets}, "__metadata__": {string: string}}, then the
// bytes. No code can run from it.
enum class TensorType { kBool, kU8, kI8, kI16, kI32, kI64, kF16, kBF16, kF32, kF64 };

size_t byte_size(TensorType type);

// "F32" and so on, as the header writes it.
std::string_view tensor_type_name(TensorType type);

// Bytes of one tensor that live elsewhere (in the file's mapping, or in the caller's tensors).
struct TensorView {
  TensorType type = TensorType::kF32;
  std::vector<int64_t> shape;  // empty: a scalar
  std::span<const std::byte> bytes;
};

// Opens a file, checks all of its header before any tensor is touched (length at most 64 MiB and
// inside the file; offsets ordered, inside, without overlap or gap; sizes equal to shape times
// type) and maps the bytes. Throws Error naming the file and the tensor.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& file);
  ~SafetensorsFile();
  SafetensorsFile(SafetensorsFile&&) noexcept;
  SafetensorsFile& operator=(SafetensorsFile&&) noexcept;

  const std::filesystem::path& path() const;
  const std::map<std::string, TensorView>& tensors() const;
  const std::map<std::string, std::string>& metadata() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Writes tensors (8-byte aligned, in name order) and metadata, atomically: see AtomicFile.
void write_safetensors(const std::filesystem::path& file,
                       const std::map<std::string, TensorView>& tensors,
                       const std::map<std::string, std::string>& metadata);

}  // namespace dualdepth
