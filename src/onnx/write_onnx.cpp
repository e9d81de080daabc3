#include <fmt/format.h>
#include <onnx/checker.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

#include <algorithm>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/onnx/onnx_file.h"
#include "dualdepth/onnx/onnx_writer.h"

namespace dualdepth {
namespace {

constexpr int64_t kKnownOpset = 17;  // the library's newest

bool is_known(const onnx::ModelProto& model) {
  return std::ranges::all_of(model.opset_import(), [](const auto& import) {
    return !import.domain().empty() || import.version() <= kKnownOpset;
  });
}

}  // namespace

onnx::ModelProto checked_onnx(const onnx::ModelProto& model, const std::string& name) {
  if (!is_known(model)) return model;
  onnx::ModelProto checked = model;
  try {
    onnx::checker::check_model(checked);
    const onnx::ShapeInferenceOptions strict(/*check_type=*/true, /*strict_mode=*/1);
    onnx::shape_inference::InferShapes(checked, onnx::OpSchemaRegistry::Instance(), strict);
  } catch (const std::exception& error) {
    throw Error({.subject = name,
                 .expected = "a model that ONNX's checker accepts",
                 .got = error.what(),
                 .fix = ""});
  }
  return checked;
}

std::string onnx_file_bytes(const onnx::ModelProto& model, const std::string& name) {
  if (const size_t bytes = model.ByteSizeLong(); bytes >= kMaxOnnxBytes) {
    throw Error({.subject = name,
                 .expected = "a model of less than 2 GB",
                 .got = fmt::format("{} bytes", bytes),
                 .fix = "ONNX files cannot be larger; choose a smaller encoder"});
  }
  return checked_onnx(model, name).SerializeAsString();
}

void write_onnx(const onnx::ModelProto& model, const std::filesystem::path& file) {
  write_file_atomically(file, onnx_file_bytes(model, file.string()));
}

}  // namespace dualdepth
