#include "dualdepth/quantize/quantize_model.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <memory>
#include <set>

#include "dualdepth/base/error.h"
#include "dualdepth/export/candidate_file.h"
#include "dualdepth/export/open_graph.h"
#include "dualdepth/graph/passes.h"
#include "dualdepth/graph/patterns.h"
#include "dualdepth/graph/run_graph.h"
#include "dualdepth/onnx/onnx_file.h"
#include "dualdepth/onnx/onnx_writer.h"
#include "dualdepth/runtime/checkpoint.h"
#include "dualdepth/runtime/exported_model.h"

namespace dualdepth::quantize {
namespace {

namespace fs = std::filesystem;

ModelCard card_of_model(const fs::path& file) {
  if (file.extension() == ".onnx") return card_of(OnnxFile(file));
  const Checkpoint checkpoint = open_checkpoint(file);
  return {.outputs = ModelOutputs::kLogits,
          .model = checkpoint.config.model,
          .image_shape = checkpoint.config.data.image_shape,
          .kb_crop = checkpoint.config.data.kb_crop};
}

// As our runtime computes a file: its argmax reads the integer head's sums before their grid.
graph::Graph without_grid_of_logits(const graph::Graph& graph) {
  std::set<graph::NodeId> grids;
  for (const auto id : graph::integer_head(graph)) {
    if (std::holds_alternative<graph::FakeQuantize>(graph.node(id).operation)) grids.insert(id);
  }
  return without_grids(graph, grids).graph;
}

// What a written file says. For TensorRT there is no runtime here, and OpenVINO computes grids
// around 0 in another way: such a file is read back and computed in LibTorch.
class WrittenFile {
 public:
  WrittenFile(const fs::path& file, const ModelCard& card, OnnxProfile profile) : card_(card) {
    if (profile == OnnxProfile::kTensorRt) {
      graph_ = open_graph(file, card.image_shape.at(0), card.image_shape.at(1));
    } else {
      model_ = open_onnx(file);
    }
  }

  DensePrediction operator()(const torch::Tensor& image) const {
    return model_ ? to_prediction(model_->run(image), card_) : depth_of(graph_, card_)(image);
  }

  // As the file's argmax sees logits.
  graph::Graph computed(const graph::Graph& graph) const {
    return model_ ? without_grid_of_logits(graph) : graph;
  }

 private:
  const ModelCard& card_;
  std::unique_ptr<ExportedModel> model_;
  graph::Graph graph_;
};

}  // namespace

FloatModel open_float_model(const fs::path& file, const std::optional<graph::Shape>& shape) {
  FloatModel model{.graph = {}, .card = card_of_model(file)};
  if (model.card.outputs == ModelOutputs::kDepth) {
    throw Error({.subject = file.string(),
                 .expected = "a model with outputs levels or logits",
                 .got = "one that composes depth itself",
                 .fix = "export it with --outputs levels, or quantize the checkpoint"});
  }
  if (shape) model.card.image_shape = {shape->at(2), shape->at(3)};
  model.graph = open_graph(file, model.card.image_shape.at(0), model.card.image_shape.at(1));
  if (model.card.outputs == ModelOutputs::kLogits) {
    model.card.outputs =
        model.card.model.params.use_dual_head ? ModelOutputs::kLevels : ModelOutputs::kDepth;
    model.graph = graph::with_outputs(model.graph, model.card.model.params, model.card.outputs);
  }
  return model;
}

FileCheck write_quantized(const Quantization& quantization, const ModelCard& card,
                          const Pictures& check, OnnxProfile profile, const fs::path& out) {
  const CandidateFile candidate(out);
  write_onnx(*to_onnx(quantization.graph,
                      {.profile = profile, .metadata = {{kModelCardKey, to_json(card)}}}),
             candidate.path());
  const WrittenFile written(candidate.path(), card, profile);
  const auto in_file =
      predict_all([&](const torch::Tensor& image) { return written(image); }, check);
  const auto in_float = predict_all(depth_of(quantization.reference, card), check);
  const auto computed = written.computed(quantization.graph);
  const auto in_8_bits = predict_all(depth_of(computed, card), check);
  const FileCheck result{.error = depth_error(in_file, in_float),
                         .bytes = fs::file_size(candidate.path())};
  const auto strayed = depth_error(in_file, in_8_bits);
  const auto own = depth_error(in_8_bits, in_float);
  if (strayed.relative > kFileTolerance + own.relative) {
    throw Error({.subject = out.string(),
                 .expected = "a file that says the depth of the quantized network",
                 .got = fmt::format("depth that differs by {:.1f} %", 100 * strayed.relative),
                 .fix = "this runtime computes the profile in another way; choose another"});
  }
  candidate.accept();
  return result;
}

}  // namespace dualdepth::quantize
