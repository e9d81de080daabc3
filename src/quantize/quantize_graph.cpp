#include "dualdepth/quantize/quantize_graph.h"

#include <cmath>
#include <utility>

#include "dualdepth/quantize/choose_plan.h"

namespace dualdepth::quantize {

Quantization quantize_graph(const graph::Graph& network, const Plan& plan, const Contract& contract,
                            const Pictures& pictures, const QuantizeOptions& options) {
  const torch::NoGradGuard no_grad;
  expect_pictures(pictures);
  expect_outputs(plan.target, contract);
  expect_network_of(plan, network);
  AppliedPlan applied = apply_plan(plan, network);
  Quantization result;
  result.plan = plan;
  result.reference = std::move(applied.reference);
  result.graph = std::move(applied.graph);
  result.renamed = std::move(applied.renamed);
  const Pictures judged = pictures.spread(options.judged_pictures);
  const auto expected = predict_all(depth_of(network, contract), judged);
  const auto error_of = [&](const graph::Graph& graph) {
    return depth_error(predict_all(depth_of(graph, contract), judged), expected);
  };
  result.stages.push_back({"plan", error_of(result.graph)});
  if (!options.correct_bias && !options.round_adaptively) return result;
  auto fitted = fit_layers(lower_head(result.reference, plan.head.shift),
                           {result.graph, result.renamed}, pictures,
                           {.correct_bias = options.correct_bias,
                            .round_adaptively = options.round_adaptively,
                            .positions = options.positions,
                            .bias = plan.target.bias});
  const double before = result.stages.back().error.relative;
  const char* name = options.round_adaptively ? "adaptive rounding" : "bias corrected";
  result.stages.push_back({name, error_of(fitted.graph)});
  const double after = result.stages.back().error.relative;
  if (after < before || (std::isnan(before) && !std::isnan(after))) {
    result.graph = std::move(fitted.graph);
    result.layers = std::move(fitted.layers);
  }
  return result;
}

Quantization quantize_graph(const graph::Graph& network, const Contract& contract,
                            const Pictures& pictures, const QuantizeOptions& options) {
  PlanChoice choice = choose_plan(network, contract, pictures, options);
  Quantization result = quantize_graph(network, choice.plan, contract, pictures, options);
  result.stages.insert(result.stages.begin(), choice.stages.begin(), choice.stages.end());
  return result;
}

}  // namespace dualdepth::quantize
