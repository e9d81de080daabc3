#include "dualdepth/runtime/exported_model.h"

#include "dualdepth/base/error.h"
#include "dualdepth/codec/plain_depth.h"

namespace dualdepth {
namespace {

torch::Tensor output(const NamedTensors& outputs, const char* name, torch::ScalarType type) {
  const auto found = outputs.find(name);
  if (found == outputs.end()) {
    throw Error({.subject = "model",
                 .expected = std::string("an output ") + name + ", as its metadata says",
                 .got = "none of that name",
                 .fix = "export the checkpoint again with dualdepth export"});
  }
  return found->second.to(type);  // a chip's file may have uint8 or float16
}

}  // namespace

OpenVinoOptions openvino_options(const RuntimeOptions& options) {
  const bool bfloat16 = options.runtime == RuntimeKind::kOpenVinoBFloat16;
  return {.precision = bfloat16 ? Precision::kBFloat16 : Precision::kFloat32,
          .threads = options.threads,
          .as_written = options.as_written};
}

DensePrediction to_prediction(const NamedTensors& outputs, const ModelCard& card) {
  const auto& params = card.model.params;
  const auto values = [&](const char* name) { return output(outputs, name, torch::kFloat32); };
  if (card.outputs == ModelOutputs::kDepth) return {values("depth").squeeze(1), {}, {}};
  const DepthCodec codec(params.codec);
  if (!params.use_dual_head) {
    return {plain_depth(values("logits").squeeze(1), params.codec), {}, {}};
  }
  const auto fraction = values("fraction").squeeze(1);
  const bool whole = codec.integer_channels() > 1;
  const auto level =
      card.outputs == ModelOutputs::kLogits
          ? codec.choose_level(values("logits"))
          : output(outputs, "level", whole ? torch::kInt64 : torch::kFloat32).squeeze(1);
  return {codec.decode(level, fraction), whole ? level : torch::Tensor(), fraction};
}

}  // namespace dualdepth
