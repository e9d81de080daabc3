#include "dualdepth/runtime/exported_model.h"

#include "dualdepth/base/error.h"
#include "dualdepth/codec/plain_depth.h"

namespace dualdepth {
namespace {

const torch::Tensor& output(const NamedTensors& outputs, const char* name) {
  const auto found = outputs.find(name);
  if (found == outputs.end()) {
    throw Error({.subject = "model",
                 .expected = std::string("an output ") + name + ", as its metadata says",
                 .got = "none of that name",
                 .fix = "export the checkpoint again with dualdepth export"});
  }
  return found->second;
}

}  // namespace

OpenVinoOptions openvino_options(const RuntimeOptions& options) {
  const bool bfloat16 = options.runtime == RuntimeKind::kOpenVinoBFloat16;
  return {.precision = bfloat16 ? Precision::kBFloat16 : Precision::kFloat32,
          .threads = options.threads};
}

DensePrediction to_prediction(const NamedTensors& outputs, const ModelCard& card) {
  const auto& params = card.model.params;
  if (card.outputs == ModelOutputs::kDepth) return {output(outputs, "depth").squeeze(1), {}, {}};
  const DepthCodec codec(params.codec);
  if (!params.use_dual_head) {
    return {plain_depth(output(outputs, "logits").squeeze(1), params.codec), {}, {}};
  }
  const auto fraction = output(outputs, "fraction").squeeze(1);
  const auto level = card.outputs == ModelOutputs::kLogits
                         ? codec.choose_level(output(outputs, "logits"))
                         : output(outputs, "level").squeeze(1);
  const bool whole = codec.integer_channels() > 1;
  const auto index = whole ? level.to(torch::kInt64) : level;
  return {codec.decode(index, fraction), whole ? index : torch::Tensor(), fraction};
}

}  // namespace dualdepth
