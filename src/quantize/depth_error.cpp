#include "dualdepth/quantize/depth_error.h"

#include <utility>
#include <vector>

#include "dualdepth/runtime/exported_model.h"

namespace dualdepth::quantize {
namespace {

constexpr double kBin = 1e-4;  // m, of the median
constexpr int64_t kBins = 200000;
constexpr double kLeastDepth = 1e-3;  // m: depths far below it differ by nothing that counts

DensePrediction predict(const graph::Graph& graph, const Contract& contract,
                        const graph::ValueObserver& observe, const torch::Tensor& image) {
  const auto ids = graph::output_nodes(graph);
  const auto values = graph::run_graph(graph, image, ids, observe);
  NamedTensors named;
  for (size_t i = 0; i < ids.size(); ++i) named[graph.outputs()[i].name] = values[i];
  return to_prediction(named, contract);
}

}  // namespace

DepthOf depth_of(const graph::Graph& graph, const Contract& contract,
                 graph::ValueObserver observe) {
  return [&graph, contract, observe = std::move(observe)](const torch::Tensor& image) {
    return predict(graph, contract, observe, image);
  };
}

std::vector<DensePrediction> predict_all(const DepthOf& depth_of, const graph::Pictures& pictures) {
  std::vector<DensePrediction> all;
  all.reserve(pictures.count);
  for (size_t index = 0; index < pictures.count; ++index) {
    all.push_back(depth_of(pictures.at(index)));
  }
  return all;
}

DepthError depth_error(std::span<const DensePrediction> all_said,
                       std::span<const DensePrediction> all_wanted) {
  const torch::NoGradGuard no_grad;
  DepthError error;
  auto bins = torch::zeros({kBins}, torch::kInt64);
  double pixels = 0;
  for (size_t index = 0; index < all_wanted.size(); ++index) {
    const DensePrediction& wanted = all_wanted[index];
    const DensePrediction& said = all_said[index];
    const auto difference = (said.depth - wanted.depth).abs().to(torch::kFloat64);
    pixels += static_cast<double>(difference.numel());
    error.mean += difference.sum().item<double>();
    const auto greater = torch::maximum(said.depth, wanted.depth).clamp_min(kLeastDepth);
    error.relative += (difference / greater).sum().item<double>();
    const auto bin = (difference / kBin).to(torch::kInt64).clamp_max(kBins - 1).flatten();
    bins += torch::bincount(bin, {}, kBins);
    if (!wanted.level.defined()) continue;
    error.equal_levels += said.level.eq(wanted.level).sum().item<double>();
    error.level_shift += (said.level - wanted.level).sum().item<double>();
  }
  if (pixels == 0) return error;
  for (double* sum : {&error.mean, &error.relative, &error.equal_levels, &error.level_shift}) {
    *sum /= pixels;
  }
  const auto below = bins.cumsum(0).to(torch::kFloat64);
  error.median = below.lt(pixels / 2).sum().item<double>() * kBin;
  return error;
}

}  // namespace dualdepth::quantize
