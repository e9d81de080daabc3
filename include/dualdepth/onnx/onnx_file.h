#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace onnx {
class ModelProto;
}

namespace dualdepth {

// Newest ONNX intermediate representation that is read: ONNX 1.20's.
inline constexpr int64_t kNewestIrVersion = 13;
inline constexpr uintmax_t kMaxOnnxBytes = uintmax_t{1} << 31;  // protobuf's own limit

// An ONNX file, parsed and looked over before anything else touches it:
//
//   - it is a whole model of an IR version up to kNewestIrVersion and less than 2 GB
//   - each graph output is made by a node, an input or an initializer
//   - each value is computed once, by a node before those that read it, so that there are no cycles
//   - external data, also of sub-graphs, attributes and sparse tensors, lies in the file's own
//   folder
//     and is as long as the tensor's sizes say
//
// Throws Error naming the file (and tensor or node) otherwise. Operators are not looked at.
class OnnxFile {
 public:
  explicit OnnxFile(const std::filesystem::path& file);
  ~OnnxFile();
  OnnxFile(OnnxFile&& other) noexcept;

  const std::filesystem::path& path() const { return path_; }
  const onnx::ModelProto& model() const { return *model_; }

  // Of all tensors whose numbers are external data.
  uintmax_t external_bytes() const { return external_bytes_; }

  // The value of metadata_props[key].
  std::optional<std::string> metadata(const std::string& key) const;

 private:
  std::filesystem::path path_;
  std::unique_ptr<onnx::ModelProto> model_;
  uintmax_t external_bytes_ = 0;
};

}  // namespace dualdepth
