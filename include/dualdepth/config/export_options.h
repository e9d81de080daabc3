#pragma once

#include <array>
#include <span>
#include <utility>

#include "dualdepth/config/field.h"
#include "dualdepth/config/model_options.h"

namespace dualdepth {

enum class ExportFormat { kTorchScript, kOnnx };
template <>
struct EnumNames<ExportFormat> {
  static constexpr std::array values{std::pair{ExportFormat::kTorchScript, "torchscript"},
                                     std::pair{ExportFormat::kOnnx, "onnx"}};
};

// What an exported model returns:
//   levels       `level` [N, 1, H, W] (whole numbers) and `fraction` [N, 1, H, W] in 0..1
//   logits       `logits` [N, K, H, W] and `fraction`; of a sigmoid head its one logit
//   depth        `depth` [N, 1, H, W] in metres
//   position     `position` [N, G, H, W]: sums of G groups of thresholds
//   coordinates  `coordinates` [N, 2, H, W] in 0..1, of a point near the Hilbert curve
enum class ModelOutputs { kLevels, kLogits, kDepth, kPosition, kCoordinates };
template <>
struct EnumNames<ModelOutputs> {
  static constexpr std::array values{
      std::pair{ModelOutputs::kLevels, "levels"}, std::pair{ModelOutputs::kLogits, "logits"},
      std::pair{ModelOutputs::kDepth, "depth"}, std::pair{ModelOutputs::kPosition, "position"},
      std::pair{ModelOutputs::kCoordinates, "coordinates"}};
};

// The outputs that a head of this kind can have; the first is what an export returns unless told
// otherwise.
//
//   categorical  levels, logits, depth      sigmoid  depth, logits
//   cumulative   position, depth            hilbert  coordinates
//
// Levels are those of the greatest logits, so a categorical head that decodes to the expectation
// has depth or logits, and one that decodes to the median logits alone.
std::span<const ModelOutputs> outputs_of(HeadKind kind, LevelDecoding decoding);
std::span<const ModelOutputs> outputs_of(const ModelOptions& model);

// Throws Error listing outputs_of(kind, decoding) when `outputs` is none of them.
void require_outputs(HeadKind kind, LevelDecoding decoding, ModelOutputs outputs);

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
