#include "dualdepth/export/export_model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <sstream>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/config/contract.h"
#include "dualdepth/export/frozen_trace.h"
#include "dualdepth/export/graph_from_trace.h"
#include "dualdepth/graph/clipped_winners.h"
#include "dualdepth/graph/equalize.h"
#include "dualdepth/graph/passes.h"
#include "dualdepth/onnx/onnx_writer.h"
#include "dualdepth/runtime/dense_predictor.h"
#include "dualdepth/runtime/network_pictures.h"
#include "dualdepth/runtime/predict_pictures.h"

namespace dualdepth {
namespace {

using graph::Graph;
using graph::NodeId;
using graph::OutputForm;
using graph::Pictures;
using graph::Shape;

namespace fs = std::filesystem;

Shape shape_of(const Checkpoint& checkpoint, const ExportOptions& options) {
  const auto& own = checkpoint.config.data.image_shape;
  const Shape shape = options.shape.value_or(Shape{1, 3, own[0], own[1]});
  const bool fits = shape[0] >= 1 && shape[1] == 3 && shape[2] >= 32 && shape[3] >= 32 &&
                    shape[2] % 32 == 0 && shape[3] % 32 == 0 && shape[2] <= 8192 &&
                    shape[3] <= 8192;
  if (fits) return shape;
  throw Error({.subject = "shape",
               .expected = "Nx3xHxW with H and W multiples of 32 from 32 to 8192",
               .got = fmt::format("{}", fmt::join(shape, "x")),
               .fix = ""});
}

Contract contract_of_file(const Checkpoint& checkpoint, ModelOutputs outputs, const Shape& shape) {
  DataOptions data = checkpoint.config.data;
  data.image_shape = {shape[2], shape[3]};
  return contract_of(checkpoint.config.model, data, outputs);
}

std::string torchscript_bytes(DepthNet net, const OutputForm& form, const Contract& contract) {
  const torch::jit::Module module = trace_network(std::move(net), form);
  std::ostringstream bytes;
  module.save(bytes, {{kContractFile, to_json(contract)}});
  return bytes.str();
}

// A centred head's Relu is sized for the pictures that it was fitted to.
void count_clipped(const Graph& graph, const Pictures& pictures,
                   const std::vector<fs::path>& inputs, ExportCheck& check) {
  const auto files = list_pictures(inputs);
  int64_t most = 0;
  for (size_t index = 0; index < pictures.count; ++index) {
    const int64_t clipped = count_clipped_winners(graph, pictures.at(index));
    check.clipped_winners += clipped;
    if (clipped > most) check.clipped_in = files.at(index).string();
    most = std::max(most, clipped);
  }
}

void check(const ExportOptions& options, HeadKind head) {
  if (options.format != ExportFormat::kOnnx) return;
  if (!options.center_with.empty() && head != HeadKind::kCategorical) {
    throw Error({.subject = "centring",
                 .expected = "a categorical head, whose greatest logit it keeps",
                 .got = std::string(enum_name(head)),
                 .fix = "leave --center-with out"});
  }
  if (options.profile == OnnxProfile::kNpu && options.dynamic) {
    throw Error({.subject = "profile npu",
                 .expected = "a fixed shape",
                 .got = "dynamic shapes",
                 .fix = "leave --dynamic out"});
  }
}

}  // namespace

ExportReport export_checkpoint(const Checkpoint& checkpoint, const ExportOptions& options,
                               const fs::path& out) {
  const ModelOptions& model_options = checkpoint.config.model;
  const HeadKind head = model_options.head_kind();
  check(options, head);
  const OutputForm form{options.outputs.value_or(outputs_of(model_options).front()),
                        options.groups};
  const torch::NoGradGuard no_grad;
  const Shape shape = shape_of(checkpoint, options);
  const Contract contract = contract_of_file(checkpoint, form.outputs, shape);
  const InputContract& input = contract.input;
  ExportReport report;
  const bool is_onnx = options.format == ExportFormat::kOnnx;
  std::string bytes;
  Graph graph;
  if (!is_onnx) {
    bytes = torchscript_bytes(load_network(checkpoint), form, contract);
  } else {
    graph = merge_affine(
        graph_from_trace(trace_network(load_network(checkpoint), {ModelOutputs::kLogits}), shape));
    if (!options.center_with.empty()) {
      report.centring = fit_centring(graph, open_pictures(options.center_with, input));
      const NodeId map = graph.node(graph.output("logits")).inputs.at(0);
      graph = center_logits(graph, *report.centring);
      if (const auto group = channel_group(graph, map)) {
        const auto& peaks = report.centring->feature_peaks;
        graph = scale_channels(graph, *group, equalizing_factors(graph, *group, peaks));
      }
    }
    graph = with_outputs(graph, head, model_options.params.codec, form);
    report.nodes = static_cast<int64_t>(graph.nodes().size());
    const auto model = to_onnx(graph, {.profile = options.profile,
                                       .dynamic = options.dynamic,
                                       .metadata = {{kContractKey, to_json(contract)}}});
    bytes = onnx_file_bytes(*model, out.string());
  }
  AtomicFile file(out);
  file.write(bytes);
  report.bytes = bytes.size();
  DepthNet reference = load_network(checkpoint);
  const auto& compared = options.check_with.empty() ? options.center_with : options.check_with;
  const Pictures pictures = compared.empty()
                                ? rendered_pictures(input, checkpoint.config.data.dataset)
                                : open_pictures(compared, input);
  file.check([&](const fs::path& candidate) {
    const auto exported = is_onnx ? open_onnx(candidate, {.as_written = true})
                                  : open_torchscript(candidate, c10::kCPU);
    const bool fixed_batch = is_onnx && !options.dynamic;
    report.check = check_export(reference, *exported, pictures, fixed_batch ? shape[0] : 1);
  });
  if (report.centring) count_clipped(graph, pictures, compared, report.check);
  if (report.check.holds()) file.commit();
  return report;
}

}  // namespace dualdepth
