#include "dualdepth/graph/clipped_winners.h"

#include <array>
#include <cmath>
#include <limits>

#include "dualdepth/graph/patterns.h"
#include "dualdepth/graph/run_graph.h"

namespace dualdepth::graph {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// What the nodes between the head's convolution and its ArgMax make of one logit. None of them
// decreases with it.
float mapped(const Graph& graph, const std::vector<NodeId>& head, float logit) {
  for (const NodeId id : head) {
    const Operation& operation = graph.node(id).operation;
    if (std::holds_alternative<Relu>(operation)) logit = logit > 0 ? logit : 0;
    if (const auto* codes = std::get_if<FakeQuantize>(&operation)) {
      const auto lowest = static_cast<float>(codes->first_code() - codes->zero_point);
      const auto highest = static_cast<float>(codes->last_code() - codes->zero_point);
      const float code = std::nearbyint(logit / codes->scale);  // half to even
      logit = codes->scale * std::min(std::max(code, lowest), highest);
    }
  }
  return logit;
}

}  // namespace

float clipping_value(const Graph& graph) {
  const auto head = integer_head(graph);
  const float least = mapped(graph, head, -kInfinity);
  if (least == -kInfinity) return -kInfinity;
  // Bisection: `clipped` is mapped to the least value, `above` to a greater one.
  float clipped = std::numeric_limits<float>::lowest();
  float above = std::numeric_limits<float>::max();
  for (float middle = 0; clipped < middle && middle < above; middle = clipped / 2 + above / 2) {
    (mapped(graph, head, middle) == least ? clipped : above) = middle;
  }
  return clipped;
}

int64_t count_clipped_winners(const Graph& graph, const torch::Tensor& image) {
  const float clipping = clipping_value(graph);
  if (clipping == -kInfinity) return 0;
  const auto head = integer_head(graph);
  int64_t count = 0;
  run_graph(graph, image, std::array{head.back()}, [&](NodeId id, const torch::Tensor& value) {
    if (id == head.front()) count += value.amax(1).le(clipping).sum().item<int64_t>();
  });
  return count;
}

}  // namespace dualdepth::graph
