#include "dualdepth/quantize/quantize_model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <onnx/onnx_pb.h>

#include <memory>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/export/open_graph.h"
#include "dualdepth/graph/passes.h"
#include "dualdepth/graph/patterns.h"
#include "dualdepth/onnx/onnx_file.h"
#include "dualdepth/onnx/onnx_writer.h"
#include "dualdepth/onnx/quantized_copy.h"
#include "dualdepth/quantize/file_proof.h"
#include "dualdepth/runtime/checkpoint.h"
#include "dualdepth/runtime/onnx_contract.h"

namespace dualdepth::quantize {
namespace {

namespace fs = std::filesystem;

Contract contract_of_model(const fs::path& file, const std::optional<Contract>& given) {
  if (file.extension() == ".onnx") return contract_of(OnnxFile(file), given);
  const Checkpoint checkpoint = open_checkpoint(file);
  const ModelOptions& model = checkpoint.config.model;
  return contract_of(model, checkpoint.config.data, graph_outputs(model.head_kind()));
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
  outputs.reserve(contract.outputs.size());
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

// The quantized graph in the file that it comes from, or in one of its own.
QuantizedCopy to_file(const Quantization& quantization, const Contract& contract,
                      OnnxProfile profile, const FloatModel* original) {
  const graph::Graph& graph = quantization.graph;
  const OnnxOptions options{.profile = profile,
                            .opset = quantization.plan.target.opset,
                            .metadata = {{kContractKey, to_json(contract)}}};
  QuantizedCopy copy;
  if (original != nullptr && !original->file.empty()) {
    copy = quantized_copy(OnnxFile(original->file), original->graph, graph, options);
    if (copy.model) return copy;
    copy.notes.push_back(fmt::format("{} is written anew, not as a copy: {}",
                                     original->file.string(), copy.obstacle));
  }
  copy.model = to_onnx(graph, options);
  copy.value_names = value_names(graph);
  return copy;
}

graph::Graph with_shape(const graph::Graph& graph, const graph::Shape& shape,
                        const fs::path& file) {
  const auto& own = graph.input().shape;
  if (shape.at(0) < 1 || shape.at(1) != own.at(1) || shape.at(2) != own.at(2) ||
      shape.at(3) != own.at(3)) {
    throw Error(
        {.subject = file.string(),
         .expected = fmt::format("--shape Nx{}", fmt::join(own.begin() + 1, own.end(), "x")),
         .got = fmt::format("{}", fmt::join(shape, "x")),
         .fix = "the file has only this size: quantize the checkpoint, or a file of export "
                "--dynamic"});
  }
  return graph::with_batch(graph, shape.at(0));
}

}  // namespace

FloatModel open_float_model(const fs::path& file, const std::optional<graph::Shape>& shape,
                            const std::optional<Contract>& given) {
  FloatModel model{.graph = {}, .contract = contract_of_model(file, given)};
  if (file.extension() == ".onnx") model.file = file;
  Contract& contract = model.contract;
  check_input(contract.input, file);
  if (shape) contract.input.size = {shape->at(2), shape->at(3)};
  model.graph = with_outputs_of(
      contract, open_graph(file, contract.input.size.at(0), contract.input.size.at(1)));
  if (shape) model.graph = with_shape(model.graph, *shape, file);
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
  model.graph = graph::with_outputs(model.graph, contract.head_kind(), contract.codec, {wanted});
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
                          const Pictures& check, OnnxProfile profile, const fs::path& out,
                          const FloatModel* original) {
  const torch::NoGradGuard no_grad;
  expect_no_clipped_winners(quantization.graph, check, out.string());
  const auto written = to_file(quantization, contract, profile, original);
  const std::string bytes = onnx_file_bytes(*written.model, out.string());
  FileCheck result;
  result.bytes = bytes.size();
  result.notes = written.notes;
  result.value_names = written.value_names;
  AtomicFile file(out);
  file.write(bytes);
  file.check([&](const fs::path& candidate) {
    result.error =
        prove_file(quantization, contract, candidate, written.value_names, check, out.string());
  });
  file.commit();
  return result;
}

}  // namespace dualdepth::quantize
