#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dualdepth/io/mapped_file.h"

namespace dualdepth {

// Element types of NumPy's arrays, little endian.
enum class NpyType {
  kInt8,
  kUint8,
  kInt16,
  kUint16,
  kInt32,
  kUint32,
  kInt64,
  kUint64,
  kFloat16,
  kFloat32,
  kFloat64
};

// "int8" ... "float64", as numpy.dtype prints it.
std::string_view type_name(NpyType type);
size_t type_bytes(NpyType type);
bool is_integer(NpyType type);

// Returns "[1, 3, 192, 640]".
std::string shape_text(std::span<const int64_t> shape);

// The first bytes of an .npy file (format 1.0, C order): an array of this type and shape follows.
std::string npy_header(NpyType type, std::span<const int64_t> shape);

// What the header of an .npy file (format 1.0 to 3.0) says.
struct NpyHeader {
  NpyType type = NpyType::kFloat32;
  std::vector<int64_t> shape;
  size_t data_offset = 0;  // where the array's bytes begin

  // Bytes of the array. At most 2^63 - 1, which parse_npy_header() checks.
  uint64_t data_bytes() const;
};

// Reads the header at the begin of a file. bytes: the whole file or its begin, kMaxNpyHeader bytes
// of it. Throws Error naming `subject` for anything else than a little-endian array of an NpyType
// in C order.
inline constexpr size_t kMaxNpyHeader = 1 << 16;
NpyHeader parse_npy_header(std::string_view bytes, const std::string& subject);

// Throws Error naming `subject` unless `present` bytes follow the header.
void expect_data_bytes(const NpyHeader& header, uint64_t present, const std::string& subject);

// An .npy file of any shape, mapped. Its length is compared with its header when it is opened.
class NpyFile {
 public:
  explicit NpyFile(const std::filesystem::path& file);

  NpyType type() const { return header_.type; }
  const std::vector<int64_t>& shape() const { return header_.shape; }
  std::span<const std::byte> data() const { return mapped_.bytes().subspan(header_.data_offset); }
  uint64_t count() const { return data().size() / type_bytes(type()); }  // of elements

 private:
  MappedFile mapped_;
  NpyHeader header_;
};

// Converts elements of any type. bytes: values.size() elements.
void to_doubles(NpyType type, std::span<const std::byte> bytes, std::span<double> values);

}  // namespace dualdepth
