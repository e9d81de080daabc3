#include "dualdepth/quantize/quantize_model.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <memory>
#include <set>

#include "dualdepth/base/error.h"
#include "dualdepth/export/candidate_file.h"
#include "dualdepth/export/open_graph.h"
#include "dualdepth/graph/passes.h"
#include "dualdepth/graph/run_graph.h"
#include "dualdepth/onnx/onnx_file.h"
#include "dualdepth/onnx/onnx_writer.h"
#include "dualdepth/runtime/checkpoint.h"
#include "dualdepth/runtime/exported_model.h"
#include "dualdepth/runtime/onnx_contract.h"

namespace dualdepth::quantize {
namespace {

namespace fs = std::filesystem;

Contract contract_of_model(const fs::path& file, const std::optional<Contract>& given) {
  if (file.extension() == ".onnx") return contract_of(OnnxFile(file), given);
  const Checkpoint checkpoint = open_checkpoint(file);
  return contract_of(checkpoint.config.model, checkpoint.config.data, ModelOutputs::kLogits);
}

// The integer emulation computes pictures as exported networks take them.
void check_input(const InputContract& input, const fs::path& file) {
  if (input.layout == TensorLayout::kNchw && input.type == InputType::kFloat32) return;
  throw Error(
      {.subject = file.string(),
       .expected = "a float32 input of layout NCHW to quantize",
       .got = fmt::format("{} of layout {}", enum_name(input.type), enum_name(input.layout)),
       .fix = "convert the file's input"});
}

// The graph with only the contract's outputs, in its order.
graph::Graph with_outputs_of(const Contract& contract, graph::Graph graph) {
  std::vector<graph::Output> outputs;
  for (const OutputContract& output : contract.outputs) {
    outputs.push_back({output.name, graph.output(output.name)});
  }
  graph.set_outputs(std::move(outputs));
  return graph;
}

// Renames the output of this kind to what the passes call it.
void rename(Contract& contract, OutputKind kind, const char* name) {
  for (OutputContract& output : contract.outputs) {
    if (output.is == kind) output.name = name;
  }
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
  WrittenFile(const fs::path& file, const Contract& contract, OnnxProfile profile)
      : contract_(contract) {
    if (profile == OnnxProfile::kTensorRt) {
      graph_ = open_graph(file, contract.input.size.at(0), contract.input.size.at(1));
    } else {
      model_ = open_onnx(file);
    }
  }

  DensePrediction operator()(const torch::Tensor& image) const {
    return model_ ? to_prediction(model_->run(image), contract_)
                  : depth_of(graph_, contract_)(image);
  }

  // As the file's argmax sees logits.
  graph::Graph computed(const graph::Graph& graph) const {
    return model_ ? without_grid_of_logits(graph) : graph;
  }

 private:
  const Contract& contract_;
  std::unique_ptr<ExportedModel> model_;
  graph::Graph graph_;
};

}  // namespace

FloatModel open_float_model(const fs::path& file, const std::optional<graph::Shape>& shape,
                            const std::optional<Contract>& given) {
  FloatModel model{.graph = {}, .contract = contract_of_model(file, given)};
  Contract& contract = model.contract;
  check_input(contract.input, file);
  if (shape) contract.input.size = {shape->at(2), shape->at(3)};
  model.graph = with_outputs_of(
      contract, open_graph(file, contract.input.size.at(0), contract.input.size.at(1)));
  const bool has_logits = contract.output(OutputKind::kLogits) != nullptr;
  const bool has_depth_logit = contract.output(OutputKind::kDepthLogit) != nullptr;
  if (!has_logits && !has_depth_logit) return model;
  rename(contract, OutputKind::kLogits, "logits");
  rename(contract, OutputKind::kDepthLogit, "logits");
  rename(contract, OutputKind::kFraction, "fraction");
  std::vector<graph::Output> renamed = model.graph.outputs();
  for (size_t i = 0; i < renamed.size(); ++i) renamed[i].name = contract.outputs[i].name;
  model.graph.set_outputs(std::move(renamed));
  const ModelOutputs wanted = has_logits ? ModelOutputs::kLevels : ModelOutputs::kDepth;
  model.graph = graph::with_outputs(model.graph, contract.params(), wanted);
  contract.outputs.clear();
  for (const auto& output : model.graph.outputs()) {
    const auto kind = output.name == "level"      ? OutputKind::kLevel
                      : output.name == "fraction" ? OutputKind::kFraction
                                                  : OutputKind::kDepth;
    contract.outputs.push_back({.name = output.name, .is = kind});
  }
  return model;
}

FileCheck write_quantized(const Quantization& quantization, const Contract& contract,
                          const Pictures& check, OnnxProfile profile, const fs::path& out) {
  const CandidateFile candidate(out);
  write_onnx(*to_onnx(quantization.graph,
                      {.profile = profile, .metadata = {{kContractKey, to_json(contract)}}}),
             candidate.path());
  const WrittenFile written(candidate.path(), contract, profile);
  const auto in_file =
      predict_all([&](const torch::Tensor& image) { return written(image); }, check);
  const auto in_float = predict_all(depth_of(quantization.reference, contract), check);
  const auto computed = written.computed(quantization.graph);
  const auto in_8_bits = predict_all(depth_of(computed, contract), check);
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
