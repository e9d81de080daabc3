#include "dualdepth/onnx/onnx_file.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <charconv>
#include <set>

#include "dualdepth/base/error.h"
#include "dualdepth/io/mapped_file.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& subject, const std::string& expected,
                       const std::string& got, const std::string& fix = "") {
  throw Error({.subject = subject, .expected = expected, .got = got, .fix = fix});
}

std::string external_entry(const onnx::TensorProto& tensor, const std::string& key) {
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == key) return entry.value();
  }
  return "";
}

uintmax_t number(const std::string& subject, const std::string& text) {
  if (text.empty()) return 0;
  uintmax_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    fail(subject, "a number of bytes of external data", text);
  }
  return value;
}

// The location may name nothing outside the model's folder, not by "..", an absolute path or a
// link.
void check_external(const fs::path& file, const onnx::TensorProto& tensor) {
  if (tensor.data_location() != onnx::TensorProto::EXTERNAL) return;
  const std::string subject = fmt::format("{}: tensor {}", file.string(), tensor.name());
  const fs::path location = external_entry(tensor, "location");
  const fs::path folder = fs::weakly_canonical(file).parent_path();
  const fs::path found = fs::weakly_canonical(folder / location);
  const auto inside = found.lexically_relative(folder);
  if (location.empty() || location.is_absolute() || inside.empty() || *inside.begin() == "..") {
    fail(subject, "external data in the model's own folder", location.string(),
         "do not use files from a source you do not trust");
  }
  std::error_code error;
  const uintmax_t size = fs::file_size(found, error);
  if (error) fail(subject, "external data in " + found.string(), error.message());
  const uintmax_t offset = number(subject, external_entry(tensor, "offset"));
  const uintmax_t length = number(subject, external_entry(tensor, "length"));
  if (offset > size || length > size - offset) {
    fail(subject, fmt::format("bytes {} to {} of {}", offset, offset + length, found.string()),
         fmt::format("a file of {} bytes", size));
  }
}

void check_outputs(const fs::path& file, const onnx::GraphProto& graph) {
  std::set<std::string> made;
  for (const auto& input : graph.input()) made.insert(input.name());
  for (const auto& tensor : graph.initializer()) made.insert(tensor.name());
  for (const auto& node : graph.node()) made.insert(node.output().begin(), node.output().end());
  if (graph.output().empty()) fail(file.string(), "a model with outputs", "none");
  for (const auto& output : graph.output()) {
    if (!made.contains(output.name())) {
      fail(file.string(), fmt::format("a node that makes the output {}", output.name()), "none");
    }
  }
}

}  // namespace

OnnxFile::OnnxFile(const fs::path& file) : path_(file), model_(new onnx::ModelProto) {
  constexpr const char* kExpected = "an ONNX model";
  std::error_code error;
  if (const uintmax_t size = fs::file_size(file, error); !error && size >= kMaxOnnxBytes) {
    fail(file.string(), "an ONNX model of less than 2 GB", fmt::format("{} bytes", size),
         "keep the weights in external data");
  }
  const MappedFile bytes(file);
  const bool parsed =
      model_->ParseFromArray(bytes.bytes().data(), static_cast<int>(bytes.bytes().size()));
  if (!parsed) fail(file.string(), kExpected, "bytes that are none, or a truncated one");
  if (!model_->has_ir_version() || !model_->has_graph()) {
    fail(file.string(), kExpected, "a protobuf message without ir_version or graph");
  }
  if (model_->ir_version() < 1 || model_->ir_version() > kNewestIrVersion) {
    fail(file.string(), fmt::format("ONNX IR version 1 to {}", kNewestIrVersion),
         std::to_string(model_->ir_version()), "export it for an older version of ONNX");
  }
  check_outputs(file, model_->graph());
  for (const auto& tensor : model_->graph().initializer()) check_external(file, tensor);
}

OnnxFile::~OnnxFile() = default;
OnnxFile::OnnxFile(OnnxFile&& other) noexcept = default;

std::optional<std::string> OnnxFile::metadata(const std::string& key) const {
  for (const auto& entry : model_->metadata_props()) {
    if (entry.key() == key) return entry.value();
  }
  return std::nullopt;
}

}  // namespace dualdepth
