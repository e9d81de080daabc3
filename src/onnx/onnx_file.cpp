#include "dualdepth/onnx/onnx_file.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "dualdepth/base/error.h"
#include "dualdepth/io/mapped_file.h"
#include "onnx_tensor.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& subject, const std::string& expected,
                       const std::string& got, const std::string& fix = "") {
  throw Error({.subject = subject, .expected = expected, .got = got, .fix = fix});
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

// Of the tensor's numbers; 0 for types of less than a byte.
uintmax_t bytes_of(const std::string& subject, const onnx::TensorProto& tensor) {
  const auto type = scalar_type_of(tensor.data_type());
  uintmax_t bytes = type ? c10::elementSize(*type) : 0;
  for (const int64_t size : tensor.dims()) {
    if (size < 0 || __builtin_mul_overflow(bytes, static_cast<uintmax_t>(size), &bytes)) {
      fail(subject, "sizes of at least 0 that fit memory", std::to_string(size));
    }
  }
  return bytes;
}

// The location may name nothing outside the model's folder, not by "..", an absolute path or a
// link. Returns the bytes of the tensor's external data.
uintmax_t check_external(const fs::path& file, const onnx::TensorProto& tensor) {
  if (tensor.data_location() != onnx::TensorProto::EXTERNAL) return 0;
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
  const uintmax_t needed = bytes_of(subject, tensor);
  if (length != 0 && length != needed && needed != 0) {
    fail(subject, fmt::format("{} bytes, as its sizes say", needed),
         fmt::format("external data of {}", length));
  }
  const uintmax_t read = std::max(length, needed);
  if (offset > size || read > size - offset) {
    fail(subject, fmt::format("bytes {} to {} of {}", offset, offset + read, found.string()),
         fmt::format("a file of {} bytes", size));
  }
  return read;
}

// Every tensor of a graph, also those of attributes and sub-graphs.
class TensorCheck {
 public:
  explicit TensorCheck(const fs::path& file) : file_(file) {}

  uintmax_t external_bytes() const { return external_bytes_; }

  void check(const onnx::GraphProto& graph, int depth = 0) {
    if (depth > kDeepestGraph) {
      fail(file_.string(), fmt::format("graphs of at most {} levels", kDeepestGraph),
           "deeper ones");
    }
    for (const auto& tensor : graph.initializer()) check(tensor);
    for (const auto& tensor : graph.sparse_initializer()) check(tensor);
    for (const auto& node : graph.node()) check(node, depth);
  }

  void check(const onnx::NodeProto& node, int depth) {
    std::set<std::string> seen;
    for (const auto& attribute : node.attribute()) {
      if (!seen.insert(attribute.name()).second) {
        fail(file_.string() + ": node " + node.name(), "each attribute once",
             attribute.name() + " twice");
      }
      if (attribute.has_t()) check(attribute.t());
      if (attribute.has_sparse_tensor()) check(attribute.sparse_tensor());
      for (const auto& tensor : attribute.tensors()) check(tensor);
      for (const auto& tensor : attribute.sparse_tensors()) check(tensor);
      if (attribute.has_g()) check(attribute.g(), depth + 1);
      for (const auto& graph : attribute.graphs()) check(graph, depth + 1);
    }
  }

 private:
  static constexpr int kDeepestGraph = 16;

  void check(const onnx::TensorProto& tensor) {
    // Each is at most as long as a file; the sum of many may pass 64 bits.
    const uintmax_t bytes = check_external(file_, tensor);
    if (__builtin_add_overflow(external_bytes_, bytes, &external_bytes_)) {
      fail(file_.string(), "external data that fits memory", "more");
    }
  }

  void check(const onnx::SparseTensorProto& tensor) {
    check(tensor.values());
    check(tensor.indices());
  }

  const fs::path& file_;
  uintmax_t external_bytes_ = 0;
};

// Each value has one producer, before all nodes that read it: there are no cycles.
void check_order(const fs::path& file, const onnx::GraphProto& graph) {
  std::set<std::string> made;
  const auto subject = [&](const onnx::NodeProto& node) {
    return fmt::format("{}: node {} ({})", file.string(), node.name(), node.op_type());
  };
  for (const auto& tensor : graph.initializer()) {
    if (!made.insert(tensor.name()).second) {
      fail(file.string(), "a name for each initializer", tensor.name() + " twice");
    }
  }
  for (const auto& tensor : graph.sparse_initializer()) made.insert(tensor.values().name());
  std::set<std::string> inputs;
  for (const auto& input : graph.input()) {
    if (!inputs.insert(input.name()).second) {
      fail(file.string(), "a name for each input", input.name() + " twice");
    }
    made.insert(input.name());  // older files list initializers, too
  }
  for (const auto& node : graph.node()) {
    for (const auto& input : node.input()) {
      if (!input.empty() && !made.contains(input)) {
        fail(subject(node), fmt::format("a value {} that a node before it computes", input),
             "none: the nodes are out of order, or one is missing");
      }
    }
    for (const auto& output : node.output()) {
      if (!output.empty() && !made.insert(output).second) {
        fail(subject(node), "a name of its own for each value", output + " twice");
      }
    }
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
  check_order(file, model_->graph());
  TensorCheck tensors(file);
  tensors.check(model_->graph());
  for (const auto& function : model_->functions()) {
    for (const auto& node : function.node()) tensors.check(node, 0);
  }
  external_bytes_ = tensors.external_bytes();
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
