#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <string>

#include "dualdepth/quantize/choose_plan.h"
#include "dualdepth/quantize/quantize_graph.h"

namespace dualdepth::quantize {

// image -> conv a -> Relu -> conv b -> Relu -> Concat of both -> conv c -> Relu -> both heads, of
// 16 levels; and the plan that is chosen for it.
class PlannedNetwork : public ::testing::Test {
 protected:
  PlannedNetwork() {
    torch::manual_seed(2);
    contract_.input.size = {8, 16};
    contract_.outputs = {{.name = "level", .is = OutputKind::kLevel},
                         {.name = "fraction", .is = OutputKind::kFraction}};
    contract_.codec.n_integer_levels = 16;
    const auto image = graph_.add_input("image", {1, 3, 8, 16});
    const auto a = add_layer(image, "a");
    const auto b = add_layer(a, "b");
    const auto c = add_layer(graph_.add(graph::Concat{}, {a, b}, "joined"), "c");
    const auto logits = graph_.add(conv(8, 16), {c}, "integer");
    const auto level = graph_.add(graph::ArgMax{}, {logits}, "integer");
    const auto sum = graph_.add(conv(8, 1), {c}, "fraction");
    const auto fraction = graph_.add(graph::Sigmoid{}, {sum}, "fraction");
    graph_.set_outputs({{"level", level}, {"fraction", fraction}});
    options_.judged_pictures = 2;
    options_.positions = 200;
  }

  static graph::Conv conv(int64_t in, int64_t out) {
    return {.weight = torch::randn({out, in, 3, 3}) / (3 * in),
            .bias = 0.1 * torch::randn({out}),
            .padding = {1, 1}};
  }

  graph::NodeId add_layer(graph::NodeId value, const char* name) {
    const auto layer = graph_.add(conv(graph_.node(value).shape[1], 8), {value}, name);
    return graph_.add(graph::Relu{}, {layer}, name);
  }

  Plan chosen_plan() const { return choose_plan(graph_, contract_, pictures_, options_).plan; }

  graph::Graph graph_;
  Contract contract_;
  QuantizeOptions options_;
  Pictures pictures_{2, [](size_t index) {
                       const auto generator = at::detail::createCPUGenerator(index + 100);
                       return torch::rand({1, 3, 8, 16}, generator);
                     }};
};

}  // namespace dualdepth::quantize
