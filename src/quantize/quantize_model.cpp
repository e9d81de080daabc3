#include "dualdepth/quantize/quantize_model.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include "dualdepth/base/error.h"
#include "dualdepth/deploy/candidate_file.h"
#include "dualdepth/deploy/onnx_writer.h"
#include "dualdepth/deploy/open_graph.h"
#include "dualdepth/deploy/passes.h"
#include "dualdepth/deploy/run_graph.h"
#include "dualdepth/runtime/checkpoint.h"
#include "dualdepth/runtime/exported_model.h"
#include "dualdepth/runtime/onnx_file.h"

namespace dualdepth::quantize {
namespace {

namespace fs = std::filesystem;

ModelCard card_of(const fs::path& file) {
  if (file.extension() == ".onnx") {
    const OnnxFile onnx(file);
    if (const auto text = onnx.metadata(kModelCardKey)) {
      return parse_model_card(*text, file.string());
    }
    throw Error({.subject = file.string(),
                 .expected = "an ONNX file written by dualdepth export",
                 .got = "one without its metadata",
                 .fix = "export the checkpoint with dualdepth export --format onnx"});
  }
  const Checkpoint checkpoint = open_checkpoint(file);
  return {.outputs = ModelOutputs::kLogits,
          .model = checkpoint.config.model,
          .image_shape = checkpoint.config.data.image_shape,
          .kb_crop = checkpoint.config.data.kb_crop};
}

}  // namespace

FloatModel open_float_model(const fs::path& file, const std::optional<deploy::Shape>& shape) {
  FloatModel model{.graph = {}, .card = card_of(file)};
  if (model.card.outputs == ModelOutputs::kDepth) {
    throw Error({.subject = file.string(),
                 .expected = "a model with outputs levels or logits",
                 .got = "one that composes depth itself",
                 .fix = "export it with --outputs levels, or quantize the checkpoint"});
  }
  if (shape) model.card.image_shape = {shape->at(2), shape->at(3)};
  model.graph =
      deploy::open_graph(file, model.card.image_shape.at(0), model.card.image_shape.at(1));
  if (model.card.outputs == ModelOutputs::kLogits) {
    model.card.outputs =
        model.card.model.params.use_dual_head ? ModelOutputs::kLevels : ModelOutputs::kDepth;
    model.graph = deploy::with_outputs(model.graph, model.card.model.params, model.card.outputs);
  }
  return model;
}

FileCheck write_quantized(const Quantization& quantization, const ModelCard& card,
                          const Pictures& check, OnnxProfile profile, const fs::path& out) {
  const deploy::CandidateFile candidate(out);
  deploy::write_onnx(*deploy::to_onnx(quantization.graph, card, {.profile = profile}),
                     candidate.path());
  const auto model = open_onnx(candidate.path());
  const DepthOf file = [&](const torch::Tensor& image) {
    return to_prediction(model->run(image), card);
  };
  const FileCheck result{.error = depth_error(file, depth_of(quantization.reference, card), check),
                         .pictures = check.count,
                         .bytes = fs::file_size(candidate.path())};
  const auto strayed = depth_error(file, depth_of(quantization.graph, card), check);
  if (strayed.relative > kFileTolerance) {
    throw Error({.subject = out.string(),
                 .expected = "a file that says the depth of the quantized network",
                 .got = fmt::format("depth that differs by {:.1f} %", 100 * strayed.relative),
                 .fix = "this runtime computes the profile in another way; choose another"});
  }
  candidate.accept();
  return result;
}

}  // namespace dualdepth::quantize
