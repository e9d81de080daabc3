#pragma once

#include <gtest/gtest.h>
#include <torch/utils.h>

#include <map>
#include <string>
#include <utility>

#include "dualdepth/graph/graph.h"
#include "dualdepth/graph/run_graph.h"
#include "dualdepth/runtime/exported_model.h"

namespace dualdepth {

inline constexpr int64_t kLevels = 20;

// The decoder's last stage in small: a map of 8 channels is upsampled, joined with one of 4 and
// convolved to the 16 channels that both heads read.
class LoweredGraph : public ::testing::Test {
 protected:
  LoweredGraph() {
    torch::manual_seed(6);
    contract_.codec.n_integer_levels = kLevels;
    contract_.input.size = {32, 64};
    contract_.outputs = {{.name = "level", .is = OutputKind::kLevel},
                         {.name = "fraction", .is = OutputKind::kFraction}};
    image_ = torch::rand({1, 3, 32, 64});
    const auto input = graph_.add_input("image", {1, 3, 32, 64});
    const auto normalized =
        graph_.add(graph::Affine{torch::full({3}, 4.F), torch::full({3}, -2.F)}, {input}, "");
    const auto deep = convolve(8, normalized, "deep", 2);
    const auto skip = convolve(4, normalized, "skip", 1);
    const auto upsampled = graph_.add(graph::Upsample{2}, {deep}, "");
    feature_ = convolve(16, graph_.add(graph::Concat{}, {upsampled, skip}, ""), "feature", 1);
  }

  static graph::Conv conv(int64_t out, int64_t in, int64_t stride, int64_t kernel = 3) {
    return {.weight = 0.3 * torch::randn({out, in, kernel, kernel}),
            .bias = 0.1 * torch::randn({out}),
            .stride = {stride, stride},
            .padding = {kernel / 2, kernel / 2}};
  }

  graph::NodeId convolve(int64_t out, graph::NodeId in, const std::string& module, int64_t stride) {
    const auto sums = graph_.add(conv(out, graph_.node(in).shape[1], stride), {in}, module);
    return graph_.add(graph::Relu{}, {sums}, module);
  }

  // ArgMax over `logits` and the fraction, both of `map`.
  void add_outputs(graph::NodeId map, graph::NodeId logits) {
    const auto level = graph_.add(graph::ArgMax{}, {logits}, "integer");
    const auto sums = graph_.add(conv(1, 16, 1), {map}, "fraction");
    const auto fraction = graph_.add(graph::Sigmoid{}, {sums}, "fraction");
    graph_.set_outputs({{"level", level}, {"fraction", fraction}});
  }

  graph::NodeId add_logits(graph::NodeId map, int64_t kernel = 3) {
    return graph_.add(conv(kLevels, 16, 1, kernel), {map}, "integer");
  }

  // Level and fraction in LibTorch.
  std::pair<torch::Tensor, torch::Tensor> reference(const graph::Graph& graph) const {
    const auto values = graph::run_graph(graph, image_, graph::output_nodes(graph));
    return {values.at(0), values.at(1)};
  }

  // How many layers of each kind ran.
  static std::map<std::string, int> kinds(ExportedModel& model) {
    std::map<std::string, int> kinds;
    for (const auto& layer : model.layer_times()) ++kinds[layer.kind];
    return kinds;
  }

  static double equal_share(const torch::Tensor& a, const torch::Tensor& b) {
    return a.eq(b).to(torch::kFloat64).mean().item<double>();
  }

  graph::Graph graph_;
  graph::NodeId feature_ = 0;
  Contract contract_;
  torch::Tensor image_;
};

}  // namespace dualdepth
