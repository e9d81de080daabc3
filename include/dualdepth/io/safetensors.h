#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dualdepth/io/mapped_file.h"

namespace dualdepth {

// The safetensors container (huggingface.co/docs/safetensors): 8 bytes little-endian header length,
// a JSON header {name: {dtype, shape, data_offsets}, "__metadata__": {string: string}}, then the
// bytes. No code can run from it.
enum class TensorType { kBool, kU8, kI8, kI16, kI32, kI64, kF16, kBF16, kF32, kF64 };

// Bytes of one element.
size_t byte_size(TensorType type);

// "F32" and so on, as the header writes it.
std::string_view tensor_type_name(TensorType type);

// Bytes of one tensor that live elsewhere (in the file's mapping, or in the caller's tensors). They
// need not be aligned: copy them out.
struct TensorView {
  TensorType type = TensorType::kF32;
  std::vector<int64_t> shape;  // empty: a scalar
  std::span<const std::byte> bytes;
};

// Opens a file, checks all of its header before any tensor is touched (length at most 16 MiB and
// inside the file; names unique; offsets inside the file, without overlap or gap; sizes equal to
// shape times type) and maps the bytes. Throws Error naming the file and the tensor.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& file);

  const std::filesystem::path& path() const { return path_; }
  const std::map<std::string, TensorView>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  std::filesystem::path path_;
  MappedFile mapping_;
  std::map<std::string, TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

// Writes tensors and metadata, atomically: see AtomicFile. The same tensors give the same bytes.
// Order and header are those of the reference library, byte for byte.
void write_safetensors(const std::filesystem::path& file,
                       const std::map<std::string, TensorView>& tensors,
                       const std::map<std::string, std::string>& metadata);

}  // namespace dualdepth
