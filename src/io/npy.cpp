#include "dualdepth/io/npy.h"

#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/io/mapped_file.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "arrays are stored little-endian");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kVersionBytes = 2;

[[noreturn]] void fail(const std::string& file, std::string expected, std::string got,
                       std::string fix = "") {
  throw Error({.subject = file,
               .expected = std::move(expected),
               .got = std::move(got),
               .fix = std::move(fix)});
}

// What the header's Python dictionary says, and where the array's bytes begin.
struct Header {
  std::string descr;
  bool fortran_order = false;
  std::vector<int64_t> shape;
  size_t data_offset = 0;
};

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

Header read_header(const std::string& file, std::string_view bytes) {
  const size_t prefix = kMagic.size() + kVersionBytes;
  if (bytes.size() < prefix || !bytes.starts_with(kMagic)) {
    fail(file, "an .npy array", "a file that starts otherwise");
  }
  const size_t length_bytes = bytes[kMagic.size()] == 1 ? 2 : 4;  // format 1.0; 2.0 and 3.0
  uint32_t length = 0;
  if (bytes.size() >= prefix + length_bytes) {
    std::memcpy(&length, bytes.data() + prefix, length_bytes);
  }
  if (length == 0 || length > bytes.size() - prefix - length_bytes) {
    fail(file, "a header inside the file", std::to_string(length) + " bytes");
  }
  const std::string_view dictionary = bytes.substr(prefix + length_bytes, length);
  const std::string_view descr = text_behind(dictionary, "descr");
  const std::string_view order = text_behind(dictionary, "fortran_order");
  const auto shape = parse_shape(text_behind(dictionary, "shape"));
  const size_t quote = descr.find('\'', 1);
  const bool known_order = order.starts_with("True") || order.starts_with("False");
  if (!descr.starts_with('\'') || quote == std::string_view::npos || !known_order || !shape) {
    fail(file, "a header with descr, fortran_order and shape",
         std::string(dictionary.substr(0, 80)));
  }
  return {.descr = std::string(descr.substr(1, quote - 1)),
          .fortran_order = order.starts_with("True"),
          .shape = *shape,
          .data_offset = prefix + length_bytes + length};
}

// Height and width, without leading dimensions of size 1.
cv::Size image_size(const std::string& file, std::vector<int64_t> shape) {
  std::string shown;
  for (const int64_t size : shape) shown += (shown.empty() ? "" : ", ") + std::to_string(size);
  while (shape.size() > 2 && shape.front() == 1) shape.erase(shape.begin());
  constexpr int64_t kMaxSide = INT32_MAX;
  if (shape.size() != 2 || shape[0] < 1 || shape[1] < 1 || shape[0] > kMaxSide ||
      shape[1] > kMaxSide) {
    fail(file, "an array [H, W]", "[" + shown + "]");
  }
  return {static_cast<int>(shape[1]), static_cast<int>(shape[0])};
}

}  // namespace

std::string encode_npy(const cv::Mat& array, int leading_ones) {
  CV_Assert(array.type() == CV_32FC1 || array.type() == CV_16UC1);
  const char* descr = array.type() == CV_32FC1 ? "<f4" : "<u2";
  std::string shape;
  for (int i = 0; i < leading_ones; ++i) shape += "1, ";
  shape += std::to_string(array.rows) + ", " + std::to_string(array.cols);
  std::string dictionary =
      "{'descr': '" + std::string(descr) + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  // NumPy pads with spaces so that the data begin at a multiple of 64 bytes, behind a line end.
  const size_t prefix = kMagic.size() + kVersionBytes + sizeof(uint16_t);
  dictionary.resize((prefix + dictionary.size() + 1 + 63) / 64 * 64 - prefix - 1, ' ');
  dictionary += '\n';
  const auto length = static_cast<uint16_t>(dictionary.size());

  std::string bytes(kMagic);
  bytes += std::string_view("\x01\x00", kVersionBytes);
  bytes.append(reinterpret_cast<const char*>(&length), sizeof length);
  bytes += dictionary;
  const cv::Mat packed = array.isContinuous() ? array : array.clone();
  bytes.append(reinterpret_cast<const char*>(packed.data), packed.total() * packed.elemSize());
  return bytes;
}

cv::Mat decode_npy(std::string_view bytes, const std::string& subject) {
  const Header header = read_header(subject, bytes);
  if (header.descr != "<f4" && header.descr != "<f8") {
    fail(subject, "float32 or float64", header.descr, "save it with .astype(numpy.float32)");
  }
  if (header.fortran_order) {
    fail(subject, "C order", "Fortran order", "save it with numpy.ascontiguousarray");
  }
  const cv::Size size = image_size(subject, header.shape);
  const int type = header.descr == "<f4" ? CV_32FC1 : CV_64FC1;
  const uint64_t needed =
      static_cast<uint64_t>(size.width) * static_cast<uint64_t>(size.height) * CV_ELEM_SIZE(type);
  const size_t present = bytes.size() - header.data_offset;
  if (needed != present) {
    fail(subject,
         std::to_string(needed) + " bytes for " + std::to_string(size.height) + "x" +
             std::to_string(size.width) + " values",
         std::to_string(present));
  }
  cv::Mat stored(size, type);
  std::memcpy(stored.data, bytes.data() + header.data_offset, present);
  if (type == CV_32FC1) return stored;
  cv::Mat array;
  stored.convertTo(array, CV_32F);
  return array;
}

void write_npy(const fs::path& file, const cv::Mat& array) {
  AtomicFile output(file, Durability::kBuffered);
  output.write(encode_npy(array));
  output.commit();
}

cv::Mat read_npy(const fs::path& file) {
  const MappedFile mapped(file);
  return decode_npy({reinterpret_cast<const char*>(mapped.bytes().data()), mapped.bytes().size()},
                    file.string());
}

}  // namespace dualdepth
