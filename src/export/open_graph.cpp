#include "dualdepth/export/open_graph.h"

#include <algorithm>

#include "dualdepth/base/error.h"
#include "dualdepth/export/frozen_trace.h"
#include "dualdepth/export/graph_from_trace.h"
#include "dualdepth/graph/passes.h"
#include "dualdepth/onnx/onnx_reader.h"
#include "dualdepth/runtime/checkpoint.h"
#include "dualdepth/runtime/foreign_runtime.h"

namespace dualdepth {
namespace {

using graph::Graph;
using graph::Shape;

Graph graph_of(const std::filesystem::path& file, int64_t height, int64_t width) {
  if (file.extension() == ".onnx") {
    return merge_affine(read_onnx(
        OnnxFile(file), {.height = height, .width = width, .foreign = openvino_foreign_runtime()}));
  }
  const Checkpoint checkpoint = open_checkpoint(file);
  const auto& own = checkpoint.config.data.image_shape;
  const Shape shape{1, 3, height > 0 ? height : own[0], width > 0 ? width : own[1]};
  const auto traced = merge_affine(
      graph_from_trace(trace_network(load_network(checkpoint), {ModelOutputs::kLogits}), shape));
  const ModelOptions& model = checkpoint.config.model;
  const HeadKind head = model.head_kind();
  return with_outputs(traced, head, model.params.codec, {graph_outputs(head)});
}

}  // namespace

ModelOutputs graph_outputs(HeadKind head) {
  const auto all = outputs_of(head, LevelDecoding::kArgmax);
  const bool has_logits = std::ranges::count(all, ModelOutputs::kLogits) > 0;
  return has_logits ? ModelOutputs::kLogits : all.front();
}

Graph open_graph(const std::filesystem::path& file, int64_t height, int64_t width) {
  try {
    return graph_of(file, height, width);
  } catch (const Error& error) {
    ErrorParts parts = error.parts();
    // What a graph finds wrong with a node names the node alone.
    if (parts.subject.empty() || parts.subject.find(file.string()) != std::string::npos) throw;
    parts.subject = file.string() + ", " + parts.subject;
    throw Error(parts);
  }
}

}  // namespace dualdepth
