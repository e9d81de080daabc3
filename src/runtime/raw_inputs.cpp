#include "dualdepth/runtime/raw_inputs.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <torch/types.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>
#include <sstream>
#include <string>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/io/npy_array.h"
#include "dualdepth/io/npz.h"
#include "dualdepth/io/zip_file.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

constexpr uintmax_t kMaxListBytes = uintmax_t{64} << 20;

// The bytes of an array in C order, mapped or in memory.
struct RawArray {
  std::string subject;
  NpyHeader header;
  std::shared_ptr<const void> owner;
  const std::byte* data = nullptr;
};

RawArray map_npy(const fs::path& file) {
  auto array = std::make_shared<const NpyFile>(file);
  const NpyHeader header{.type = array->type(), .shape = array->shape(), .data_offset = 0};
  const std::byte* data = array->data().data();
  return {.subject = file.string(), .header = header, .owner = std::move(array), .data = data};
}

// The only array, or the one that is named like the input.
std::string array_of(const fs::path& file, const InputContract& input) {
  const auto names = npz_names(file);
  if (names.size() == 1) return names.front();
  if (std::ranges::find(names, input.name) != names.end()) return input.name;
  throw Error({.subject = file.string(),
               .expected = input.name.empty()
                               ? "one array"
                               : fmt::format("one array, or one named {} as the input", input.name),
               .got = names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")),
               .fix = ""});
}

RawArray unpack_npz(const fs::path& file, const InputContract& input) {
  const std::string name = array_of(file, input);
  RawArray array{.subject = file.string() + ": " + name, .header = {}, .owner = {}};
  auto bytes = std::make_shared<const std::string>(
      ZipReader(file).read(name + ".npy", kMaxNpzArrayBytes + kMaxNpyHeader));
  array.header = parse_npy_header(*bytes, array.subject);
  expect_data_bytes(array.header, bytes->size() - array.header.data_offset, array.subject);
  array.data = reinterpret_cast<const std::byte*>(bytes->data()) + array.header.data_offset;
  array.owner = std::move(bytes);
  return array;
}

// An element of the input in a file and in a tensor.
struct ElementType {
  NpyType npy;
  torch::ScalarType torch;
};

ElementType element_type(InputType type) {
  switch (type) {
    case InputType::kFloat16:
      return {NpyType::kFloat16, torch::kHalf};
    case InputType::kUint8:
      return {NpyType::kUint8, torch::kUInt8};
    default:
      return {NpyType::kFloat32, torch::kFloat32};
  }
}

// Of one picture.
std::vector<int64_t> shape_of(const InputContract& input) {
  const int64_t height = input.size.at(0);
  const int64_t width = input.size.at(1);
  if (input.layout == TensorLayout::kNhwc) return {1, height, width, 3};
  return {1, 3, height, width};
}

void expect_input(const RawArray& array, const InputContract& input) {
  const auto picture = shape_of(input);
  const auto& shape = array.header.shape;
  const bool is_type = array.header.type == element_type(input.type).npy;
  const bool is_shape = shape.size() == picture.size() && shape[0] > 0 &&
                        std::equal(shape.begin() + 1, shape.end(), picture.begin() + 1);
  if (is_type && is_shape) return;
  const std::string type(type_name(element_type(input.type).npy));
  throw Error(
      {.subject = array.subject,
       .expected = fmt::format("{} [N, {}] with a picture or more, as the network's input takes it",
                               type, fmt::join(picture.begin() + 1, picture.end(), ", ")),
       .got = fmt::format("{} {}", type_name(array.header.type), shape_text(shape)),
       .fix = is_shape ? fmt::format("save it with .astype(numpy.{})", type)
                       : "save what the network is fed with"});
}

// What black and white become lies between these.
std::pair<double, double> limits_of(const InputContract& input) {
  if (input.type == InputType::kUint8) return {0, 255};
  double low = 0;
  double high = 0;
  for (size_t c = 0; c < 3; ++c) {
    const double black = (input.range.at(0) - input.mean.at(c)) / input.std.at(c);
    const double white = (input.range.at(1) - input.mean.at(c)) / input.std.at(c);
    low = c == 0 ? std::min(black, white) : std::min({low, black, white});
    high = c == 0 ? std::max(black, white) : std::max({high, black, white});
  }
  return {low, high};
}

void warn_of_range(const torch::Tensor& picture, const std::string& subject,
                   const InputContract& input) {
  const auto [low, high] = limits_of(input);
  const double slack = 0.01 * (high - low);  // interpolation may overshoot
  const auto values = picture.to(torch::kFloat32);
  const double least = values.min().item<double>();
  const double greatest = values.max().item<double>();
  if (least >= low - slack && greatest <= high + slack) return;
  spdlog::warn(
      "{}: values from {:.4g} to {:.4g}, where the contract's input lies in {:.4g} to {:.4g}",
      subject, least, greatest, low, high);
}

}  // namespace

graph::Pictures open_raw_inputs(const fs::path& file, const InputContract& input) {
  const RawArray array = file.extension() == ".npz" ? unpack_npz(file, input) : map_npy(file);
  expect_input(array, input);
  const auto shape = shape_of(input);
  const auto type = element_type(input.type).torch;
  const size_t bytes = array.header.data_bytes() / static_cast<uint64_t>(array.header.shape[0]);
  const auto at = [=](size_t index) {
    auto picture = torch::empty(shape, type);
    std::memcpy(picture.data_ptr(), array.data + index * bytes, bytes);
    if (type != torch::kUInt8 && !picture.isfinite().all().item<bool>()) {
      throw Error({.subject = fmt::format("{}: picture {}", array.subject, index),
                   .expected = "finite values",
                   .got = "NaN or infinity",
                   .fix = ""});
    }
    // Pictures are interleaved: the same kernels then compute the same bits of either source.
    if (input.layout == TensorLayout::kNhwc) return picture;
    return picture.contiguous(at::MemoryFormat::ChannelsLast);
  };
  warn_of_range(at(0), array.subject, input);
  return {static_cast<size_t>(array.header.shape[0]), at};
}

std::vector<fs::path> read_picture_list(const fs::path& file) {
  std::istringstream lines(read_file(file, kMaxListBytes));
  std::vector<fs::path> pictures;
  std::set<fs::path> seen;
  size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string::npos || line[begin] == '#') continue;
    const size_t end = line.find_last_not_of(" \t\r");
    const fs::path picture = file.parent_path() / line.substr(begin, end - begin + 1);
    std::error_code code;
    if (!fs::is_regular_file(picture, code)) {
      throw Error({.subject = fmt::format("{}:{}", file.string(), number),
                   .expected = "a picture, its path relative to the list",
                   .got = code ? fmt::format("{}: {}", picture.string(), code.message())
                               : fmt::format("{}, which is no file", picture.string()),
                   .fix = ""});
    }
    if (seen.insert(fs::canonical(picture)).second) pictures.push_back(picture);
  }
  if (!pictures.empty()) return pictures;
  throw Error({.subject = file.string(),
               .expected = "a list of pictures, a path a line",
               .got = "none",
               .fix = ""});
}

}  // namespace dualdepth
