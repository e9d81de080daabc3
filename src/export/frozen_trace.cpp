#include "dualdepth/export/frozen_trace.h"

#include <torch/csrc/jit/frontend/tracer.h>
#include <torch/csrc/jit/passes/freeze_module.h>
#include <torch/csrc/jit/passes/frozen_graph_optimizations.h>

#include <algorithm>
#include <memory>
#include <string>

#include "dualdepth/codec/level_axis.h"
#include "dualdepth/codec/level_distribution.h"
#include "dualdepth/codec/plain_depth.h"
#include "dualdepth/codec/threshold_codec.h"
#include "dualdepth/model/dense_prediction.h"
#include "dualdepth/runtime/device.h"

namespace dualdepth {
namespace {

namespace jit = torch::jit;

using graph::OutputForm;
using Named = c10::Dict<std::string, at::Tensor>;

// The module's parameters, buffers and children under their names; it shares their memory.
jit::Module mirror(const torch::nn::Module& module, const c10::QualifiedName& name,
                   const std::shared_ptr<jit::CompilationUnit>& unit) {
  jit::Module copy(name, unit);
  for (const auto& parameter : module.named_parameters(/*recurse=*/false)) {
    copy.register_parameter(parameter.key(), parameter.value(), /*is_buffer=*/false);
  }
  for (const auto& buffer : module.named_buffers(/*recurse=*/false)) {
    copy.register_buffer(buffer.key(), buffer.value());
  }
  for (const auto& child : module.named_children()) {
    // A name of a type must not begin with a digit: "0" of a Sequential does.
    const c10::QualifiedName type(name, "module_" + child.key());
    copy.register_module(child.key(), mirror(*child.value(), type, unit));
  }
  return copy;
}

int64_t finest_scale(const DepthNet& net) { return std::ranges::min(net->options().head.scales); }

// The head's own filters become those that predict.
void fold_head(DepthNet& net) {
  const int64_t scale = finest_scale(net);
  const HeadFilters filters = net->decoder()->head(scale)->filters();
  const HeadFilters folded = prediction_filters(net, scale);
  filters.integer_weight.copy_(folded.integer_weight);
  filters.integer_bias.copy_(folded.integer_bias);
}

torch::Tensor group_sums(const torch::Tensor& logits, const OutputForm& form) {
  const int64_t levels = logits.size(1);
  const int64_t groups = position_groups(levels, form.groups);
  return torch::conv2d(logits.clamp(0, 1), group_filters(levels, groups));
}

// Of a head that has depth among its outputs.
torch::Tensor depth_of(const HeadOutput& heads, HeadKind kind, const CodecOptions& options) {
  switch (kind) {
    case HeadKind::kCategorical: {
      const DepthCodec codec(options);
      if (options.decoding == LevelDecoding::kExpectation) {
        const auto fraction = heads.fraction_logits.sigmoid();
        return expected_depth(heads.integer_logits, fraction, options, 1).unsqueeze(1);
      }
      const auto level = codec.choose_level(heads.integer_logits).unsqueeze(1);
      return codec.decode(level, heads.fraction_logits.unsqueeze(1).sigmoid());
    }
    case HeadKind::kCumulative:
      return position_to_depth(group_sums(heads.integer_logits, {ModelOutputs::kDepth, 1}),
                               options);
    case HeadKind::kSigmoid:
    case HeadKind::kHilbert:
      break;
  }
  return plain_depth(heads.integer_logits, options);
}

Named run(DepthNet& net, const torch::Tensor& image, const OutputForm& form) {
  const int64_t scale = finest_scale(net);
  const HeadOutput heads = net->heads(net->features(image).at(scale), scale);
  const auto& codec = net->options().params.codec;
  const auto fraction = [&] { return heads.fraction_logits.unsqueeze(1).sigmoid(); };
  Named named;
  switch (form.outputs) {
    case ModelOutputs::kLogits:
      named.insert("logits", heads.integer_logits);
      if (heads.fraction_logits.defined()) named.insert("fraction", fraction());
      break;
    case ModelOutputs::kLevels:
      named.insert("level", DepthCodec(codec).choose_level(heads.integer_logits).unsqueeze(1));
      named.insert("fraction", fraction());
      break;
    case ModelOutputs::kDepth:
      named.insert("depth", depth_of(heads, net->options().head_kind(), codec));
      break;
    case ModelOutputs::kPosition:
      named.insert("position", group_sums(heads.integer_logits, form));
      break;
    case ModelOutputs::kCoordinates:
      named.insert("coordinates", heads.integer_logits.sigmoid());
      break;
  }
  return named;
}

}  // namespace

torch::jit::Module trace_network(DepthNet net, const graph::OutputForm& form) {
  if (form.outputs != ModelOutputs::kLogits) {
    const auto& model = net->options();
    require_outputs(model.head_kind(), model.params.codec.decoding, form.outputs);
  }
  const torch::NoGradGuard no_grad;
  const NoTf32 no_tf32;  // each convolution keeps it as an attribute
  net->to(torch::kCPU);
  net->eval();
  for (auto& parameter : net->parameters()) parameter.requires_grad_(false);
  fold_head(net);

  constexpr int64_t kSide = 64;
  const auto unit = std::make_shared<jit::CompilationUnit>();
  const c10::QualifiedName name("__torch__.dualdepth.DepthNet");
  jit::Module module = mirror(*net, name, unit);
  const auto call = [&](jit::Stack inputs) {
    return jit::Stack{run(net, inputs.at(0).toTensor(), form)};
  };
  const auto traced = jit::tracer::trace(
      {torch::zeros({1, 3, kSide, kSide})}, call, [](const at::Tensor&) { return ""; },
      /*strict=*/false, /*force_outplace=*/true, &module, {"image"});
  const c10::QualifiedName forward(name, "forward");
  module.type()->addMethod(unit->create_function(forward, traced.first->graph));
  module.eval();
  jit::Module frozen = jit::freeze_module(module);
  auto graph = frozen.get_method("forward").graph();
  jit::OptimizeFrozenGraph(graph);
  return frozen;
}

}  // namespace dualdepth
