#include "dualdepth/quantize/plan_scales.h"

#include <algorithm>
#include <map>
#include <vector>

#include "dualdepth/graph/patterns.h"
#include "dualdepth/quantize/apply_plan.h"
#include "dualdepth/quantize/choose_range.h"
#include "dualdepth/quantize/weight_grid.h"

namespace dualdepth::quantize {
namespace {

using graph::Graph;
using graph::NodeId;

// What lies between the bottom of a centred head, which is 0, and its winners.
double shift_of(const Graph& graph, const Placement& placement, const Calibration& statistics,
                const ScaleOptions& options) {
  const auto logits = graph::logits_of(graph);
  const bool is_lowered =
      logits && statistics.winners && placement.has_grid(*logits) && graph::has_centred_head(graph);
  if (!is_lowered) return 0;
  return std::max(0.0, winner_range(*statistics.winners, options.ranges, options.winners).low);
}

// Of each scale of a placement.
std::vector<ValueRange> shared_ranges(const Graph& graph, const Placement& placement,
                                      const Calibration& statistics, const ScaleOptions& options,
                                      const ValueFormat& format, double shift) {
  const auto logits = graph::logits_of(graph);
  std::vector<ValueRange> all(static_cast<size_t>(placement.grids));
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    const auto found = statistics.values.find(id);
    if (!placement.has_grid(id) || found == statistics.values.end()) continue;
    ValueRange range;
    if (std::holds_alternative<graph::Sigmoid>(graph.node(id).operation)) {
      range = {0, 255.0 / 256};
    } else if (logits == id && statistics.winners) {
      range = winner_range(*statistics.winners, options.ranges, options.winners);
      range.low = graph::has_centred_head(graph) ? 0 : std::min(0.0, range.low);
      range.high = std::max(0.0, range.high - shift);
    } else {
      range = choose_range(found->second, options.ranges, format);
    }
    all.at(static_cast<size_t>(placement.grid[id])).include(range);
  }
  return all;
}

std::vector<float> numbers_of(const torch::Tensor& tensor) {
  const auto values = tensor.to(torch::kFloat32).contiguous();
  const auto* first = values.const_data_ptr<float>();
  return {first, first + values.numel()};
}

}  // namespace

Plan with_scales(Plan plan, const Graph& network, const Calibration& statistics,
                 const ScaleOptions& options) {
  const Graph reference = reference_of(plan, network);
  const auto names = graph::node_names(reference);
  const auto [float_convs, placement] = places_of(plan, reference);
  const ValueFormat format = plan.target.value_format();
  plan.head.shift = shift_of(reference, placement, statistics, options);
  std::vector<graph::FakeQuantize> values;
  for (const auto& range :
       shared_ranges(reference, placement, statistics, options, format, plan.head.shift)) {
    values.push_back(to_grid(range, format));
  }
  plan.values.clear();
  for (NodeId id = 0; id < names.size(); ++id) {
    if (!placement.has_grid(id)) continue;
    plan.values[names[id]] = values.at(static_cast<size_t>(placement.grid[id]));
  }
  const GriddedGraph gridded =
      insert_grids(lower_head(reference, plan.head.shift), placement, float_convs, values);
  std::vector<NodeId> kept;
  for (const NodeId id : float_convs) kept.push_back(gridded.renamed[id]);
  const auto scales = filter_scales(gridded.graph, plan.granularity, kept);
  plan.filters.clear();
  for (NodeId id = 0; id < names.size(); ++id) {
    const auto found = scales.find(gridded.renamed[id]);
    if (found != scales.end()) plan.filters[names[id]].scales = numbers_of(found->second);
  }
  return plan;
}

Plan with_float(Plan plan, const std::vector<std::string>& convolutions) {
  for (const auto& name : convolutions) {
    if (std::ranges::count(plan.float_convs, name) == 0) plan.float_convs.push_back(name);
  }
  plan.values.clear();
  plan.filters.clear();
  return plan;
}

}  // namespace dualdepth::quantize
