#include "dualdepth/export/frozen_trace.h"

#include <torch/csrc/jit/frontend/tracer.h>
#include <torch/csrc/jit/passes/freeze_module.h>
#include <torch/csrc/jit/passes/frozen_graph_optimizations.h>

#include <algorithm>
#include <memory>
#include <string>

#include "dualdepth/base/error.h"
#include "dualdepth/codec/plain_depth.h"
#include "dualdepth/model/dense_prediction.h"
#include "dualdepth/runtime/device.h"

namespace dualdepth {
namespace {

namespace jit = torch::jit;

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

// Lays level_smoothing into the head's own filters.
void smooth_integer_head(DepthNet& net) {
  const int64_t scale = finest_scale(net);
  const HeadFilters filters = net->decoder()->head(scale)->filters();
  const HeadFilters smoothed = prediction_filters(net, scale);
  filters.integer_weight.copy_(smoothed.integer_weight);
  filters.integer_bias.copy_(smoothed.integer_bias);
}

Named run(DepthNet& net, const torch::Tensor& image, ModelOutputs outputs) {
  const int64_t scale = finest_scale(net);
  const HeadOutput heads = net->heads(net->features(image).at(scale), scale);
  const auto& params = net->options().params;
  Named named;
  if (!params.use_dual_head) {
    const bool depth = outputs == ModelOutputs::kDepth;
    named.insert(depth ? "depth" : "logits",
                 depth ? plain_depth(heads.integer_logits, params.codec) : heads.integer_logits);
    return named;
  }
  const DepthCodec codec(params.codec);
  const auto fraction = heads.fraction_logits.unsqueeze(1).sigmoid();
  if (outputs == ModelOutputs::kLogits) {
    named.insert("logits", heads.integer_logits);
    named.insert("fraction", fraction);
    return named;
  }
  const auto level = codec.choose_level(heads.integer_logits).unsqueeze(1);
  if (outputs == ModelOutputs::kLevels) {
    named.insert("level", level);
    named.insert("fraction", fraction);
  } else {
    named.insert("depth", codec.decode(level, fraction));
  }
  return named;
}

}  // namespace

torch::jit::Module trace_network(DepthNet net, ModelOutputs outputs) {
  if (!net->options().params.use_dual_head && outputs == ModelOutputs::kLevels) {
    throw Error({.subject = "outputs",
                 .expected = "depth or logits, of a network with one head",
                 .got = "levels",
                 .fix = "export it with --outputs depth"});
  }
  const torch::NoGradGuard no_grad;
  const NoTf32 no_tf32;  // each convolution keeps it as an attribute
  net->to(torch::kCPU);
  net->eval();
  for (auto& parameter : net->parameters()) parameter.requires_grad_(false);
  smooth_integer_head(net);

  constexpr int64_t kSide = 64;
  const auto unit = std::make_shared<jit::CompilationUnit>();
  const c10::QualifiedName name("__torch__.dualdepth.DepthNet");
  jit::Module module = mirror(*net, name, unit);
  const auto call = [&](jit::Stack inputs) {
    return jit::Stack{run(net, inputs.at(0).toTensor(), outputs)};
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
