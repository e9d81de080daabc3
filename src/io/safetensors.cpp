#include "dualdepth/io/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <set>
#include <stdexcept>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are stored little-endian");

using Json = nlohmann::json;

constexpr uint64_t kMaxHeaderBytes = uint64_t{16} << 20;
constexpr size_t kLengthBytes = sizeof(uint64_t);
constexpr const char* kMetadataKey = "__metadata__";

struct TypeRow {
  TensorType type;
  std::string_view name;
  size_t bytes;
};

// In the order in which the reference library lays tensors into a file, last first: it keeps each
// aligned to its elements.
constexpr std::array kTypes = {
    TypeRow{TensorType::kBool, "BOOL", 1}, TypeRow{TensorType::kU8, "U8", 1},
    TypeRow{TensorType::kI8, "I8", 1},     TypeRow{TensorType::kI16, "I16", 2},
    TypeRow{TensorType::kF16, "F16", 2},   TypeRow{TensorType::kBF16, "BF16", 2},
    TypeRow{TensorType::kI32, "I32", 4},   TypeRow{TensorType::kF32, "F32", 4},
    TypeRow{TensorType::kF64, "F64", 8},   TypeRow{TensorType::kI64, "I64", 8}};

const TypeRow& row_of(TensorType type) {
  return *std::find_if(kTypes.begin(), kTypes.end(),
                       [&](const TypeRow& row) { return row.type == type; });
}

// Shape times type, or nothing where that does not fit into 63 bits.
std::optional<uint64_t> bytes_needed(const TensorView& view) {
  uint64_t bytes = byte_size(view.type);
  for (const int64_t size : view.shape) {
    if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(size), &bytes)) return std::nullopt;
  }
  return bytes;
}

// Reads one file's header; every message names the file, and the tensor where there is one.
class HeaderReader {
 public:
  HeaderReader(const std::filesystem::path& file, std::span<const std::byte> bytes)
      : file_(file), bytes_(bytes) {}

  void read(std::map<std::string, TensorView>& tensors,
            std::map<std::string, std::string>& metadata) {
    const std::string_view text = header_text();
    data_ = bytes_.subspan(kLengthBytes + text.size());
    const Json header = parse(text);
    for (const auto& [name, value] : header.items()) {
      if (name == kMetadataKey) {
        metadata = read_metadata(value);
      } else {
        tensors.emplace(name, read_tensor(name, value));
      }
    }
    check_tiling(tensors);
  }

 private:
  [[noreturn]] void fail(std::string expected, std::string got, const std::string& tensor = "") {
    throw Error({.subject = file_.string() + (tensor.empty() ? "" : ": tensor " + tensor),
                 .expected = std::move(expected),
                 .got = std::move(got),
                 .fix = "the file is damaged or no safetensors file"});
  }

  std::string_view header_text() {
    uint64_t length = 0;
    if (bytes_.size() < kLengthBytes) {
      fail("a safetensors file", std::to_string(bytes_.size()) + " bytes");
    }
    std::memcpy(&length, bytes_.data(), kLengthBytes);
    const uint64_t rest = bytes_.size() - kLengthBytes;
    if (length > kMaxHeaderBytes || length > rest) {
      fail("a header of at most " + std::to_string(std::min(kMaxHeaderBytes, rest)) + " bytes",
           "a length of " + std::to_string(length));
    }
    return {reinterpret_cast<const char*>(bytes_.data()) + kLengthBytes, length};
  }

  // Nothing of a valid header lies deeper than the two lists of a tensor; what does is not stored,
  // so that a header of brackets alone cannot take memory.
  Json parse(std::string_view text) {
    constexpr int kListDepth = 2;
    std::set<std::string> names;
    std::optional<std::string> fault;
    const auto watch = [&](int depth, Json::parse_event_t event, const Json& parsed) {
      using Event = Json::parse_event_t;
      if (event == Event::key && depth == 1 && !names.insert(parsed.get<std::string>()).second) {
        fault = "the name " + parsed.get<std::string>() + " twice";
      }
      const bool opens = event == Event::object_start || event == Event::array_start;
      if (opens && depth > kListDepth) fault = "deeper nesting";
      return !fault;
    };
    Json header;
    try {
      header = Json::parse(text, watch);
    } catch (const Json::exception& error) {
      fail("a JSON header", error.what());
    }
    if (fault) fail("a header {name: {dtype, shape, data_offsets}}", *fault);
    if (!header.is_object()) fail("a JSON object as header", header.type_name());
    return header;
  }

  std::map<std::string, std::string> read_metadata(const Json& value) {
    std::map<std::string, std::string> metadata;
    if (!value.is_object()) fail("metadata that maps names to strings", value.type_name());
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) fail("a string as metadata " + key, text.type_name());
      metadata.emplace(key, text.get<std::string>());
    }
    return metadata;
  }

  TensorView read_tensor(const std::string& name, const Json& value) {
    const bool complete = value.is_object() && value.contains("dtype") && value.contains("shape") &&
                          value.contains("data_offsets");
    if (!complete) fail("dtype, shape and data_offsets", value.dump().substr(0, 80), name);
    TensorView view;
    view.type = read_type(name, value["dtype"]);
    for (const uint64_t size : read_numbers(name, "shape", value["shape"])) {
      view.shape.push_back(static_cast<int64_t>(size));
    }
    const std::vector<uint64_t> offsets = read_numbers(name, "data_offsets", value["data_offsets"]);
    if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > data_.size()) {
      fail("data_offsets [begin, end] within " + std::to_string(data_.size()) + " bytes",
           value["data_offsets"].dump(), name);
    }
    view.bytes = data_.subspan(offsets[0], offsets[1] - offsets[0]);
    const std::optional<uint64_t> needed = bytes_needed(view);
    if (needed != view.bytes.size()) {
      fail((needed ? std::to_string(*needed) : "too many") + " bytes for " +
               std::string(tensor_type_name(view.type)) + " " + value["shape"].dump(),
           std::to_string(view.bytes.size()), name);
    }
    return view;
  }

  TensorType read_type(const std::string& name, const Json& value) {
    for (const TypeRow& row : kTypes) {
      if (value == row.name) return row.type;
    }
    fail("one of BOOL, U8, I8, I16, I32, I64, F16, BF16, F32, F64 as dtype", value.dump(), name);
  }

  std::vector<uint64_t> read_numbers(const std::string& name, const char* key, const Json& value) {
    constexpr auto kMax = static_cast<uint64_t>(INT64_MAX);
    std::vector<uint64_t> numbers;
    const bool fits =
        value.is_array() && std::all_of(value.begin(), value.end(), [](const Json& n) {
          return n.is_number_unsigned() && n.get<uint64_t>() <= kMax;
        });
    if (!fits)
      fail(std::string("whole numbers from 0 as ") + key, value.dump().substr(0, 80), name);
    for (const Json& number : value) numbers.push_back(number.get<uint64_t>());
    return numbers;
  }

  // Tensors lie one after the other and fill the file to its end.
  void check_tiling(const std::map<std::string, TensorView>& tensors) {
    using Entry = std::pair<const std::string, TensorView>;
    std::vector<const Entry*> order;
    order.reserve(tensors.size());
    for (const Entry& entry : tensors) order.push_back(&entry);
    const auto extent = [](const Entry* entry) {
      return std::pair(entry->second.bytes.data(), entry->second.bytes.size());
    };
    std::sort(order.begin(), order.end(),
              [&](const Entry* a, const Entry* b) { return extent(a) < extent(b); });
    const std::byte* end = data_.data();
    for (const Entry* entry : order) {
      if (entry->second.bytes.data() != end) {
        fail("tensors one after the other",
             entry->second.bytes.data() < end ? "an overlap" : "a gap before it", entry->first);
      }
      end += entry->second.bytes.size();
    }
    if (end != data_.data() + data_.size()) {
      fail("tensors up to the end of the file",
           std::to_string(data_.data() + data_.size() - end) + " bytes more");
    }
  }

  const std::filesystem::path& file_;
  std::span<const std::byte> bytes_;
  std::span<const std::byte> data_;
};

}  // namespace

size_t byte_size(TensorType type) { return row_of(type).bytes; }

std::string_view tensor_type_name(TensorType type) { return row_of(type).name; }

SafetensorsFile::SafetensorsFile(const std::filesystem::path& file) : path_(file), mapping_(file) {
  HeaderReader(path_, mapping_.bytes()).read(tensors_, metadata_);
}

void write_safetensors(const std::filesystem::path& file,
                       const std::map<std::string, TensorView>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  using Entry = std::pair<const std::string, TensorView>;
  std::vector<const Entry*> order;
  order.reserve(tensors.size());
  for (const Entry& entry : tensors) order.push_back(&entry);
  std::stable_sort(order.begin(), order.end(), [](const Entry* a, const Entry* b) {
    return &row_of(a->second.type) > &row_of(b->second.type);
  });

  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header[kMetadataKey] = metadata;
  size_t offset = 0;
  for (const Entry* entry : order) {
    const auto& [name, view] = *entry;
    if (bytes_needed(view) != view.bytes.size()) {
      throw std::invalid_argument("tensor " + name + ": bytes differ from shape times type");
    }
    header[name] = {{"dtype", tensor_type_name(view.type)},
                    {"shape", view.shape},
                    {"data_offsets", {offset, offset + view.bytes.size()}}};
    offset += view.bytes.size();
  }
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.resize((text.size() + 7) / 8 * 8, ' ');

  AtomicFile output(file);
  const uint64_t length = text.size();
  output.write(&length, sizeof length);
  output.write(text);
  for (const Entry* entry : order)
    output.write(entry->second.bytes.data(), entry->second.bytes.size());
  output.commit();
}

}  // namespace dualdepth
