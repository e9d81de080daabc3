#include "dualdepth/quantize/equalization.h"

#include <algorithm>
#include <map>
#include <vector>

#include "dualdepth/deploy/equalize.h"
#include "dualdepth/deploy/run_graph.h"

namespace dualdepth::quantize {

namespace {

// Mean relative depth error in 8 bits, head in float, of the network in docs/int8.md: 3.6 % with
// 0.5, 3.3 % with 0.75, 3.5 % with 1. With one step for all filters more than 0.5 ruins them.
constexpr double kBalance = 0.75;

using Peaks = std::map<deploy::NodeId, torch::Tensor>;

// Maps to equalize, and what lies beside them in a Concat.
bool is_of_interest(const deploy::Graph& graph, deploy::NodeId id) {
  const auto& operation = graph.node(id).operation;
  return std::holds_alternative<deploy::Relu>(operation) ||
         std::holds_alternative<deploy::Upsample>(operation);
}

// The greatest value that a Concat puts beside a map.
double beside(const deploy::Graph& graph, deploy::NodeId map, const Peaks& peaks) {
  const auto concat = deploy::concat_behind(graph, map);
  if (!concat) return 0;
  double greatest = 0;
  for (const auto input : graph.node(*concat).inputs) {
    const bool own = input == map || graph.node(input).inputs == std::vector{map};
    const auto found = peaks.find(input);
    if (!own && found != peaks.end()) {
      greatest = std::max(greatest, found->second.max().item<double>());
    }
  }
  return greatest;
}

}  // namespace

deploy::Graph equalize_maps(const deploy::Graph& graph, const deploy::Pictures& pictures,
                            WeightGranularity granularity, Beside others) {
  const double balance = granularity == WeightGranularity::kPerChannel ? kBalance : 0.5;
  Peaks greatest;
  const auto ends = deploy::output_nodes(graph);
  for (size_t picture = 0; picture < pictures.count; ++picture) {
    deploy::run_graph(graph, pictures.at(picture), ends,
                      [&](deploy::NodeId id, const torch::Tensor& value) {
                        if (!is_of_interest(graph, id)) return;
                        const auto peaks = value.amax({0, 2, 3});
                        auto& all = greatest[id];
                        all = all.defined() ? torch::maximum(all, peaks) : peaks;
                      });
  }
  deploy::Graph equalized = graph;
  for (const auto& [id, peaks] : greatest) {
    equalized = deploy::equalize_channels(
        equalized, id, peaks,
        {.balance = balance,
         .beside = others == Beside::kMatched ? beside(graph, id, greatest) : 0});
  }
  return equalized;
}

}  // namespace dualdepth::quantize
