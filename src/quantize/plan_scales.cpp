#include "dualdepth/quantize/plan_scales.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "dualdepth/base/error.h"
#include "dualdepth/graph/filters.h"
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

// What the values of a graph are known to lie between, whatever the calibration pictures show:
// those of a cumulative head. Thresholds that are certain, 0 and 1, are codes then, and no sum is
// clipped.
std::map<NodeId, ValueRange> known_ranges(const Graph& graph) {
  const auto head = graph::position_head(graph);
  if (!head) return {};
  const auto& sum = std::get<graph::Conv>(graph.node(head->sum).operation);
  const double most = sum.weight.sum({1, 2, 3}).max().item<double>();  // thresholds of a group
  return {{head->clip, {0, 1}}, {head->sum, {0, most}}};
}

// Of each scale of a placement.
std::vector<ValueRange> shared_ranges(const Graph& graph, const Placement& placement,
                                      const Calibration& statistics, const ScaleOptions& options,
                                      const std::vector<ValueFormat>& formats, double shift) {
  const auto logits = graph::logits_of(graph);
  const auto known = known_ranges(graph);
  std::vector<ValueRange> all(static_cast<size_t>(placement.grids));
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    const auto found = statistics.values.find(id);
    if (!placement.has_grid(id) || found == statistics.values.end()) continue;
    ValueRange range;
    if (known.contains(id)) {
      range = known.at(id);
    } else if (std::holds_alternative<graph::Sigmoid>(graph.node(id).operation)) {
      const auto grid = static_cast<size_t>(placement.grid[id]);
      const auto codes = static_cast<double>(code_count(formats.at(grid).bits));
      range = {0, (codes - 1) / codes};
    } else if (logits == id && statistics.winners) {
      range = winner_range(*statistics.winners, options.ranges, options.winners);
      range.low = graph::has_centred_head(graph) ? 0 : std::min(0.0, range.low);
      range.high = std::max(0.0, range.high - shift);
    } else {
      range = choose_range(found->second, options.ranges,
                           formats.at(static_cast<size_t>(placement.grid[id])));
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

// The convolutions of `wide`, and the quantized values that are computed of theirs alone.
struct WideNodes {
  std::set<NodeId> convs, values;
};

WideNodes wide_nodes(const Graph& graph, const Placement& placement,
                     const std::vector<std::string>& names, const std::vector<std::string>& wide) {
  WideNodes nodes;
  std::vector<std::set<NodeId>> makers(names.size());  // the convolutions behind a value
  for (NodeId id = 0; id < names.size(); ++id) {
    const auto& node = graph.node(id);
    if (std::ranges::count(wide, names[id]) > 0) nodes.convs.insert(id);
    if (graph::filters_of(node.operation)) {
      makers[id] = {id};
    } else {
      for (const NodeId input : node.inputs) {
        makers[id].insert(makers[input].begin(), makers[input].end());
      }
    }
    const bool all_wide = !makers[id].empty() && std::ranges::includes(nodes.convs, makers[id]);
    if (all_wide && placement.has_grid(id)) nodes.values.insert(id);
  }
  return nodes;
}

// Of each scale of a placement.
std::vector<ValueFormat> shared_formats(const Graph& graph, const Placement& placement,
                                        const Target& target, const std::vector<std::string>& names,
                                        const std::set<NodeId>& wide) {
  std::vector<std::vector<int64_t>> allowed(static_cast<size_t>(placement.grids));
  std::vector<bool> is_seen(allowed.size(), false);
  std::vector<bool> is_wide(allowed.size(), false);
  for (NodeId id = 0; id < names.size(); ++id) {
    if (!placement.has_grid(id)) continue;
    const auto grid = static_cast<size_t>(placement.grid[id]);
    auto bits = target.value_bits(graph.node(id).operation);
    if (is_seen[grid]) {
      std::erase_if(allowed[grid], [&](int64_t b) { return std::ranges::count(bits, b) == 0; });
    } else {
      allowed[grid] = std::move(bits);
    }
    is_seen[grid] = true;
    is_wide[grid] = is_wide[grid] || wide.contains(id);
    if (!allowed[grid].empty()) continue;
    throw Error({.subject = fmt::format("target {}: {}", target.name, names[id]),
                 .expected = "a number of bits that all values which share its scale may have",
                 .got = "none",
                 .fix = "give their operators the same value_bits"});
  }
  std::vector<ValueFormat> formats;
  for (size_t grid = 0; grid < allowed.size(); ++grid) {
    const bool has_16 = std::ranges::count(allowed[grid], 16) > 0;
    formats.push_back(target.value_format(is_wide[grid] && has_16 ? 16 : allowed[grid].front()));
  }
  return formats;
}

int64_t weight_bits(const Target& target, const graph::Operation& operation, bool is_wide) {
  const auto allowed = target.weight_bits(operation);
  return is_wide && std::ranges::count(allowed, 16) > 0 ? 16 : allowed.front();
}

}  // namespace

Plan with_scales(Plan plan, const Graph& network, const Calibration& statistics,
                 const ScaleOptions& options) {
  const Graph reference = reference_of(plan, network);
  const auto names = graph::node_names(reference);
  const auto [float_convs, placement] = places_of(plan, reference);
  const WideNodes wide = wide_nodes(reference, placement, names, options.wide);
  const auto formats = shared_formats(reference, placement, plan.target, names, wide.values);
  plan.head.shift = shift_of(reference, placement, statistics, options);
  const auto ranges =
      shared_ranges(reference, placement, statistics, options, formats, plan.head.shift);
  std::vector<graph::FakeQuantize> values;
  values.reserve(ranges.size());
  for (size_t i = 0; i < ranges.size(); ++i) values.push_back(to_grid(ranges[i], formats[i]));
  plan.values.clear();
  for (NodeId id = 0; id < names.size(); ++id) {
    if (!placement.has_grid(id)) continue;
    plan.values[names[id]] = values.at(static_cast<size_t>(placement.grid[id]));
  }
  const GriddedGraph gridded =
      insert_grids(lower_head(reference, plan.head.shift), placement, float_convs, values);
  std::vector<NodeId> kept;
  for (const NodeId id : float_convs) kept.push_back(gridded.renamed[id]);
  BitsOf bits;
  for (NodeId id = 0; id < names.size(); ++id) {
    if (!graph::filters_of(reference.node(id).operation)) continue;
    bits[gridded.renamed[id]] =
        weight_bits(plan.target, reference.node(id).operation, wide.convs.contains(id));
  }
  const auto scales = filter_scales(gridded.graph, plan.granularity, kept, bits);
  plan.filters.clear();
  for (NodeId id = 0; id < names.size(); ++id) {
    const auto found = scales.find(gridded.renamed[id]);
    if (found == scales.end()) continue;
    plan.filters[names[id]] = {found->second.bits, numbers_of(found->second.scale)};
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
