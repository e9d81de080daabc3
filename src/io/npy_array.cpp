#include "dualdepth/io/npy_array.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <opencv2/core.hpp>
#include <optional>

#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays are stored little-endian");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kVersionBytes = 2;

struct TypeRow {
  NpyType type;
  std::string_view descr, name;
  size_t bytes;
};

constexpr std::array kTypes{TypeRow{NpyType::kInt8, "|i1", "int8", 1},
                            TypeRow{NpyType::kUint8, "|u1", "uint8", 1},
                            TypeRow{NpyType::kInt16, "<i2", "int16", 2},
                            TypeRow{NpyType::kUint16, "<u2", "uint16", 2},
                            TypeRow{NpyType::kInt32, "<i4", "int32", 4},
                            TypeRow{NpyType::kUint32, "<u4", "uint32", 4},
                            TypeRow{NpyType::kInt64, "<i8", "int64", 8},
                            TypeRow{NpyType::kUint64, "<u8", "uint64", 8},
                            TypeRow{NpyType::kFloat16, "<f2", "float16", 2},
                            TypeRow{NpyType::kFloat32, "<f4", "float32", 4},
                            TypeRow{NpyType::kFloat64, "<f8", "float64", 8}};

const TypeRow& row_of(NpyType type) { return *std::ranges::find(kTypes, type, &TypeRow::type); }

[[noreturn]] void fail(const std::string& subject, std::string expected, std::string got,
                       std::string fix = "") {
  throw Error({.subject = subject,
               .expected = std::move(expected),
               .got = std::move(got),
               .fix = std::move(fix)});
}

// The text behind 'key': in the header's dictionary; empty when it is not there.
std::string_view text_behind(std::string_view dictionary, std::string_view key) {
  const size_t start = dictionary.find("'" + std::string(key) + "':");
  if (start == std::string_view::npos) return {};
  std::string_view rest = dictionary.substr(start + key.size() + 3);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return rest;
}

// "(375, 1242)" or "(5,)"
std::optional<std::vector<int64_t>> parse_shape(std::string_view text) {
  const size_t end = text.find(')');
  if (!text.starts_with('(') || end == std::string_view::npos) return std::nullopt;
  std::string_view rest = text.substr(1, end - 1);
  std::vector<int64_t> shape;
  while (!rest.empty()) {
    int64_t size = 0;
    const auto [stop, code] = std::from_chars(rest.data(), rest.data() + rest.size(), size);
    if (code != std::errc() || size < 0) return std::nullopt;
    shape.push_back(size);
    rest.remove_prefix(static_cast<size_t>(stop - rest.data()));
    const size_t next = rest.find_first_not_of(", ");
    if (next == 0) return std::nullopt;
    rest.remove_prefix(std::min(next, rest.size()));
  }
  return shape;
}

// The header's Python dictionary, and where the array's bytes begin.
struct Dictionary {
  std::string_view text;
  size_t end = 0;
};

Dictionary find_dictionary(std::string_view bytes, const std::string& subject) {
  const size_t prefix = kMagic.size() + kVersionBytes;
  if (bytes.size() < prefix || !bytes.starts_with(kMagic)) {
    fail(subject, "an .npy array", "a file that starts otherwise");
  }
  const size_t length_bytes = bytes[kMagic.size()] == 1 ? 2 : 4;  // format 1.0; 2.0 and 3.0
  uint32_t length = 0;
  if (bytes.size() >= prefix + length_bytes) {
    std::memcpy(&length, bytes.data() + prefix, length_bytes);
  }
  if (length == 0 || length > bytes.size() - prefix - length_bytes) {
    fail(subject, "a header inside the file", std::to_string(length) + " bytes");
  }
  return {bytes.substr(prefix + length_bytes, length), prefix + length_bytes + length};
}

template <class T>
void convert(std::span<const std::byte> bytes, std::span<double> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    values[i] = static_cast<double>(value);
  }
}

void convert_halves(std::span<const std::byte> bytes, std::span<double> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    cv::float16_t half;
    std::memcpy(&half, bytes.data() + i * sizeof(half), sizeof(half));
    values[i] = static_cast<double>(static_cast<float>(half));
  }
}

}  // namespace

std::string_view type_name(NpyType type) { return row_of(type).name; }
size_t type_bytes(NpyType type) { return row_of(type).bytes; }
bool is_integer(NpyType type) { return row_of(type).descr[1] != 'f'; }

std::string shape_text(std::span<const int64_t> shape) {
  std::string text;
  for (const int64_t size : shape) text += (text.empty() ? "" : ", ") + std::to_string(size);
  return "[" + text + "]";
}

std::string npy_header(NpyType type, std::span<const int64_t> shape) {
  std::string sizes;
  for (const int64_t size : shape) sizes += (sizes.empty() ? "" : ", ") + std::to_string(size);
  if (shape.size() == 1) sizes += ",";
  std::string dictionary = "{'descr': '" + std::string(row_of(type).descr) +
                           "', 'fortran_order': False, 'shape': (" + sizes + "), }";
  // NumPy pads with spaces so that the data begin at a multiple of 64 bytes, behind a line end.
  const size_t prefix = kMagic.size() + kVersionBytes + sizeof(uint16_t);
  dictionary.resize((prefix + dictionary.size() + 1 + 63) / 64 * 64 - prefix - 1, ' ');
  dictionary += '\n';
  const auto length = static_cast<uint16_t>(dictionary.size());
  std::string bytes(kMagic);
  bytes += std::string_view("\x01\x00", kVersionBytes);
  bytes.append(reinterpret_cast<const char*>(&length), sizeof length);
  return bytes + dictionary;
}

uint64_t NpyHeader::data_bytes() const {
  uint64_t bytes = type_bytes(type);
  for (const int64_t size : shape) bytes *= static_cast<uint64_t>(size);
  return bytes;
}

NpyHeader parse_npy_header(std::string_view bytes, const std::string& subject) {
  const Dictionary dictionary = find_dictionary(bytes, subject);
  const std::string_view descr = text_behind(dictionary.text, "descr");
  const std::string_view order = text_behind(dictionary.text, "fortran_order");
  const auto shape = parse_shape(text_behind(dictionary.text, "shape"));
  const size_t quote = descr.find('\'', 1);
  const bool known_order = order.starts_with("True") || order.starts_with("False");
  if (!descr.starts_with('\'') || quote == std::string_view::npos || !known_order || !shape) {
    fail(subject, "a header with descr, fortran_order and shape",
         std::string(dictionary.text.substr(0, 80)));
  }
  const std::string_view type = descr.substr(1, quote - 1);
  const auto row = std::ranges::find(kTypes, type, &TypeRow::descr);
  if (row == kTypes.end()) {
    fail(subject, "an array of little-endian integers or floats (int8 to float64)",
         std::string(type), "save it with .astype(numpy.float32)");
  }
  if (order.starts_with("True") && shape->size() > 1) {
    fail(subject, "C order", "Fortran order", "save it with numpy.ascontiguousarray");
  }
  int64_t total = static_cast<int64_t>(row->bytes);
  for (const int64_t size : *shape) {
    if (size == 0) total = 0;
  }
  for (const int64_t size : *shape) {
    if (__builtin_mul_overflow(total, size, &total)) {
      fail(subject, "an array that fits into memory", "shape " + shape_text(*shape));
    }
  }
  return {.type = row->type, .shape = *shape, .data_offset = dictionary.end};
}

void expect_data_bytes(const NpyHeader& header, uint64_t present, const std::string& subject) {
  const uint64_t needed = header.data_bytes();
  if (needed == present) return;
  std::string sizes;
  for (const int64_t size : header.shape) {
    sizes += (sizes.empty() ? "" : "x") + std::to_string(size);
  }
  fail(subject, std::to_string(needed) + " bytes for " + sizes + " values",
       std::to_string(present));
}

NpyFile::NpyFile(const std::filesystem::path& file) : mapped_(file) {
  const std::string_view bytes(reinterpret_cast<const char*>(mapped_.bytes().data()),
                               mapped_.bytes().size());
  header_ = parse_npy_header(bytes, file.string());
  expect_data_bytes(header_, bytes.size() - header_.data_offset, file.string());
}

void to_doubles(NpyType type, std::span<const std::byte> bytes, std::span<double> values) {
  switch (type) {
    case NpyType::kInt8:
      return convert<int8_t>(bytes, values);
    case NpyType::kUint8:
      return convert<uint8_t>(bytes, values);
    case NpyType::kInt16:
      return convert<int16_t>(bytes, values);
    case NpyType::kUint16:
      return convert<uint16_t>(bytes, values);
    case NpyType::kInt32:
      return convert<int32_t>(bytes, values);
    case NpyType::kUint32:
      return convert<uint32_t>(bytes, values);
    case NpyType::kInt64:
      return convert<int64_t>(bytes, values);
    case NpyType::kUint64:
      return convert<uint64_t>(bytes, values);
    case NpyType::kFloat16:
      return convert_halves(bytes, values);
    case NpyType::kFloat32:
      return convert<float>(bytes, values);
    case NpyType::kFloat64:
      return convert<double>(bytes, values);
  }
}

}  // namespace dualdepth
