#pragma once

#include <array>
#include <utility>

#include "dualdepth/config/field.h"

namespace dualdepth {

enum class ExportFormat { kTorchScript, kOnnx };
template <>
struct EnumNames<ExportFormat> {
  static constexpr std::array values{std::pair{ExportFormat::kTorchScript, "torchscript"},
                                     std::pair{ExportFormat::kOnnx, "onnx"}};
};

// What an exported model hands out:
//   levels  `level` [N, 1, H, W] (whole numbers) and `fraction` [N, 1, H, W] in 0..1
//   logits  `logits` [N, K, H, W] and `fraction`
//   depth   `depth` [N, 1, H, W] in metres
enum class ModelOutputs { kLevels, kLogits, kDepth };
template <>
struct EnumNames<ModelOutputs> {
  static constexpr std::array values{std::pair{ModelOutputs::kLevels, "levels"},
                                     std::pair{ModelOutputs::kLogits, "logits"},
                                     std::pair{ModelOutputs::kDepth, "depth"}};
};

// The operators an ONNX file may use:
//   portable  opset 13, any runtime
//   openvino  opset 13; levels in int32, OpenVINO's own type of indices
//   npu       opset 9: Upsample in place of Resize, no Softmax, no Reshape; fixed shape
//   tensorrt  as portable; differs in 8 bits (dualdepth/quantize/placement.h)
enum class OnnxProfile { kPortable, kOpenVino, kNpu, kTensorRt };
template <>
struct EnumNames<OnnxProfile> {
  static constexpr std::array values{
      std::pair{OnnxProfile::kPortable, "portable"}, std::pair{OnnxProfile::kOpenVino, "openvino"},
      std::pair{OnnxProfile::kNpu, "npu"}, std::pair{OnnxProfile::kTensorRt, "tensorrt"}};
};

}  // namespace dualdepth
