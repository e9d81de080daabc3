#include "dualdepth/quantize/quantize_model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <onnx/onnx_pb.h>

#include <memory>
#include <vector>

#include "dualdepth/base/error.h"
#include "dualdepth/export/candidate_file.h"
#include "dualdepth/export/export_check.h"
#include "dualdepth/export/open_graph.h"
#include "dualdepth/graph/clipped_winners.h"
#include "dualdepth/graph/filters.h"
#include "dualdepth/graph/passes.h"
#include "dualdepth/graph/patterns.h"
#include "dualdepth/graph/run_graph.h"
#include "dualdepth/onnx/onnx_file.h"
#include "dualdepth/onnx/onnx_writer.h"
#include "dualdepth/onnx/quantized_copy.h"
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

[[noreturn]] void refuse(const std::string& subject, const std::string& expected,
                         const std::string& got, const std::string& fix) {
  throw Error({.subject = subject, .expected = expected, .got = got, .fix = fix});
}

std::string name_of(size_t index, const Pictures& pictures) {
  return fmt::format("picture {} of the {} of calibration that are compared", index + 1,
                     pictures.count);
}

void expect_no_clipped_winners(const graph::Graph& graph, const Pictures& pictures,
                               const std::string& file) {
  for (size_t index = 0; index < pictures.count; ++index) {
    const int64_t clipped = graph::count_clipped_winners(graph, pictures.at(index));
    if (clipped == 0) continue;
    refuse(file, "a winning logit above the lowest code of the logits in every pixel",
           fmt::format("{} pixels of {} where it is clipped, so that the level is the nearest one",
                       clipped, name_of(index, pictures)),
           "calibrate with pictures like this one");
  }
}

// Zeros where the network has levels only, as a segmentation has.
torch::Tensor fraction_of(const DensePrediction& prediction) {
  return prediction.fraction.defined() ? prediction.fraction : torch::zeros_like(prediction.depth);
}

// Share of the pixels that have the same level, and the same fraction or depth to one code.
double equal_pixels(const DensePrediction& a, const DensePrediction& b, const CodecOptions& codec) {
  constexpr double kCode = 1.01 / 255;
  const auto close = [](const torch::Tensor& x, const torch::Tensor& y, double tolerance) {
    return (x - y).abs().le(tolerance);  // false where one is NaN
  };
  const auto equal =
      a.level.defined() && b.level.defined()
          ? a.level.eq(b.level).logical_and(close(fraction_of(a), fraction_of(b), kCode))
          : close(a.depth, b.depth, kCode * (codec.max_depth - codec.min_depth));
  return equal.to(torch::kFloat64).mean().item<double>();
}

void expect_read_back(const Quantization& quantization, const Contract& contract,
                      const Pictures& pictures, const fs::path& file, const std::string& name) {
  const auto read = open_graph(file, contract.input.size.at(0), contract.input.size.at(1));
  const auto expected = depth_of(quantization.graph, contract);
  const auto got = depth_of(read, contract);
  for (size_t index = 0; index < pictures.count; ++index) {
    const auto image = pictures.at(index);
    const double equal = equal_pixels(got(image), expected(image), contract.codec);
    if (equal >= kEqualPixels) continue;
    refuse(name,
           fmt::format("a file that is the quantized network on {:.1f} % of the pixels, read back",
                       100 * kEqualPixels),
           fmt::format("{:.2f} % of {}", 100 * equal, name_of(index, pictures)),
           "this is a fault of the program: please report it");
  }
}

// The same function, its convolutions summed in float32.
graph::Graph with_float_sums(const graph::Graph& graph) {
  graph::Graph floats = graph;
  for (graph::NodeId id = 0; id < graph.nodes().size(); ++id) {
    const auto* conv = std::get_if<graph::Conv>(&graph.node(id).operation);
    if (conv == nullptr || !conv->weight_scale.defined()) continue;
    graph::Conv summed = *conv;
    if (const auto input = graph::grid_of(graph, graph.node(id).inputs[0])) {
      summed.bias = integer_bias(*graph::filters_of(*conv), input->scale) *
                    (conv->weight_scale * input->scale);
    }
    summed.weight_scale = torch::Tensor();
    floats.replace(id, std::move(summed));
  }
  return floats;
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
    refuse(file.string(), fmt::format("--shape Nx{}", fmt::join(own.begin() + 1, own.end(), "x")),
           fmt::format("{}", fmt::join(shape, "x")),
           "the file has this size alone: quantize the checkpoint, or a file of export --dynamic");
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

DepthError check_quantized(const Quantization& quantization, const Contract& contract,
                           ExportedModel& file, const Pictures& pictures, const std::string& name) {
  std::vector<DensePrediction> in_file;
  run_pictures(file, pictures, quantization.graph.input().shape.at(0),
               [&](size_t, const torch::Tensor&, const DensePrediction& prediction) {
                 in_file.push_back(prediction);
               });
  for (size_t index = 0; index < pictures.count; ++index) {
    if (in_file[index].depth.isfinite().all().item<bool>()) continue;
    refuse(name, "finite depth", "NaN or infinity in " + name_of(index, pictures),
           "this runtime cannot compute the profile; choose another");
  }
  const auto floats = with_float_sums(quantization.graph);
  const auto in_8_bits = predict_all(depth_of(quantization.graph, contract), pictures);
  const auto rounded = depth_error(predict_all(depth_of(floats, contract), pictures), in_8_bits);
  const auto strayed = depth_error(in_file, in_8_bits);
  const double limit = kRoundings * rounded.relative + kRoundingAllowance;
  if (!(strayed.relative <= limit)) {
    refuse(
        name,
        fmt::format("the depth of the quantized network to {:.2f} %, which is what another order "
                    "of rounding changes",
                    100 * limit),
        fmt::format("depth that differs by {:.2f} %", 100 * strayed.relative),
        "this runtime computes the profile in another way; choose another");
  }
  return depth_error(in_file, predict_all(depth_of(quantization.reference, contract), pictures));
}

FileCheck write_quantized(const Quantization& quantization, const Contract& contract,
                          const Pictures& check, OnnxProfile profile, const fs::path& out,
                          const FloatModel* original) {
  const torch::NoGradGuard no_grad;
  expect_no_clipped_winners(quantization.graph, check, out.string());
  const CandidateFile candidate(out);
  const auto written = to_file(quantization, contract, profile, original);
  write_onnx(*written.model, candidate.path());
  expect_read_back(quantization, contract, check, candidate.path(), out.string());
  FileCheck result{.error = {},
                   .bytes = fs::file_size(candidate.path()),
                   .notes = written.notes,
                   .value_names = written.value_names};
  if (profile == OnnxProfile::kTensorRt) {
    result.error = depth_error(predict_all(depth_of(quantization.graph, contract), check),
                               predict_all(depth_of(quantization.reference, contract), check));
  } else {
    const auto file = open_onnx(candidate.path(), {.as_written = true});
    result.error = check_quantized(quantization, contract, *file, check, out.string());
  }
  candidate.accept();
  return result;
}

}  // namespace dualdepth::quantize
