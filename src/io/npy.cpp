#include "dualdepth/io/npy.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/io/mapped_file.h"
#include "dualdepth/io/npy_array.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& file, std::string expected, std::string got,
                       std::string fix = "") {
  throw Error({.subject = file,
               .expected = std::move(expected),
               .got = std::move(got),
               .fix = std::move(fix)});
}

// Height and width, without leading dimensions of size 1.
cv::Size image_size(const std::string& file, std::vector<int64_t> shape) {
  const std::string shown = shape_text(shape);
  while (shape.size() > 2 && shape.front() == 1) shape.erase(shape.begin());
  constexpr int64_t kMaxSide = INT32_MAX;
  if (shape.size() != 2 || shape[0] < 1 || shape[1] < 1 || shape[0] > kMaxSide ||
      shape[1] > kMaxSide) {
    fail(file, "an array [H, W]", shown);
  }
  return {static_cast<int>(shape[1]), static_cast<int>(shape[0])};
}

}  // namespace

std::string encode_npy(const cv::Mat& array, int leading_ones) {
  CV_Assert(array.type() == CV_32FC1 || array.type() == CV_16UC1);
  const NpyType type = array.type() == CV_32FC1 ? NpyType::kFloat32 : NpyType::kUint16;
  std::vector<int64_t> shape(static_cast<size_t>(leading_ones), 1);
  shape.insert(shape.end(), {array.rows, array.cols});
  std::string bytes = npy_header(type, shape);
  const cv::Mat packed = array.isContinuous() ? array : array.clone();
  bytes.append(reinterpret_cast<const char*>(packed.data), packed.total() * packed.elemSize());
  return bytes;
}

cv::Mat decode_npy(std::string_view bytes, const std::string& subject) {
  const NpyHeader header = parse_npy_header(bytes, subject);
  if (header.type != NpyType::kFloat32 && header.type != NpyType::kFloat64) {
    fail(subject, "float32 or float64", std::string(type_name(header.type)),
         "save it with .astype(numpy.float32)");
  }
  const cv::Size size = image_size(subject, header.shape);
  const int type = header.type == NpyType::kFloat32 ? CV_32FC1 : CV_64FC1;
  const size_t present = bytes.size() - header.data_offset;
  expect_data_bytes(header, present, subject);
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
