#include "dualdepth/quantize/apply_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "dualdepth/base/error.h"
#include "dualdepth/graph/centring.h"
#include "dualdepth/graph/filters.h"
#include "dualdepth/graph/patterns.h"
#include "dualdepth/quantize/equalization.h"
#include "dualdepth/quantize/fingerprint.h"

namespace dualdepth::quantize {
namespace {

using graph::FakeQuantize;
using graph::Graph;
using graph::NodeId;

[[noreturn]] void fail(const std::string& subject, const std::string& expected,
                       const std::string& got, const std::string& fix) {
  throw Error({.subject = subject, .expected = expected, .got = got, .fix = fix});
}

// Each of `expected` has an entry and nothing else has one.
template <class Entry>
void expect_names(const char* group, const char* what, const std::set<std::string>& expected,
                  const std::map<std::string, Entry>& entries) {
  std::vector<std::string> unknown;
  for (const auto& [name, unused] : entries) {
    if (!expected.contains(name)) unknown.push_back(name);
  }
  if (!unknown.empty()) {
    fail(fmt::format("plan: {}", group), fmt::format("names of {}", what),
         fmt::format("{}", fmt::join(unknown, ", ")), "take these entries out");
  }
  std::vector<std::string> missing;
  for (const auto& name : expected) {
    if (!entries.contains(name)) missing.push_back(name);
  }
  if (missing.empty()) return;
  fail(fmt::format("plan: {}", group), fmt::format("an entry for each of the {}", what),
       fmt::format("none for {}", fmt::join(missing, ", ")), "");
}

// The quantization of each scale of a placement.
std::vector<FakeQuantize> shared_values(const Plan& plan, const Placement& placement,
                                        const std::vector<std::string>& names) {
  std::vector<std::optional<std::pair<std::string, FakeQuantize>>> found(
      static_cast<size_t>(placement.grids));
  for (NodeId id = 0; id < names.size(); ++id) {
    if (!placement.has_grid(id)) continue;
    const FakeQuantize& value = plan.values.at(names[id]);
    auto& shared = found.at(static_cast<size_t>(placement.grid[id]));
    if (!shared) shared = {names[id], value};
    if (shared->second == value) continue;
    fail("plan: values." + names[id],
         fmt::format("scale {} and zero point {} as {}, whose scale it shares",
                     shared->second.scale, shared->second.zero_point, shared->first),
         fmt::format("{} and {}", value.scale, value.zero_point),
         "give all values that share a scale the same");
  }
  std::vector<FakeQuantize> values;
  values.reserve(found.size());
  for (const auto& shared : found) {
    if (shared) values.push_back(shared->second);  // all have one
  }
  return values;
}

// The bias of each filter fits into the codes of its scale.
void expect_room_for_bias(const std::string& name, const torch::Tensor& bias,
                          const torch::Tensor& scale, float input_scale) {
  const auto least = scale_for_bias(scale, bias, input_scale);
  const auto raised = least > scale;
  if (!raised.any().item<bool>()) return;
  const auto filter = raised.nonzero()[0].item<int64_t>();
  fail(fmt::format("plan: filters.{}.scales", name),
       fmt::format("at least {} for filter {}, whose bias int32 holds in codes of {} times it",
                   least[filter].item<float>(), filter, input_scale),
       fmt::format("{}", scale[filter].item<float>()), "raise the scale");
}

FilterScaleOf planned_scales(const Plan& plan, const Graph& reference,
                             const std::vector<std::string>& names, const GriddedGraph& gridded) {
  FilterScaleOf scales;
  for (NodeId id = 0; id < names.size(); ++id) {
    const auto found = plan.filters.find(names[id]);
    if (found == plan.filters.end()) continue;
    const auto& operation = reference.node(id).operation;
    const auto scale = torch::tensor(found->second.scales);
    const bool one = allowed(plan.granularity, operation) == WeightGranularity::kPerTensor;
    const int64_t expected = one ? 1 : graph::filters_in(operation).bias.numel();
    if (scale.numel() != expected) {
      fail(fmt::format("plan: filters.{}.scales", names[id]), fmt::format("{} scales", expected),
           fmt::format("{}", scale.numel()), "");
    }
    const NodeId node = gridded.renamed[id];
    const auto quantized = graph::filters_in(gridded.graph.node(node).operation);
    const auto input = graph::grid_of(gridded.graph, gridded.graph.node(node).inputs.at(0));
    if (input) expect_room_for_bias(names[id], quantized.bias, scale, input->scale);
    scales[node] = {scale, found->second.bits};
  }
  return scales;
}

// bits: nullptr for an entry that is missing, which expect_names() reports.
void expect_bits(const char* group, const std::string& name, const std::vector<int64_t>& allowed,
                 const int64_t* bits) {
  if (bits == nullptr || std::ranges::count(allowed, *bits) > 0) return;
  fail(fmt::format("plan: {}.{}.bits", group, name),
       fmt::format("{}, which the target has here", fmt::join(allowed, " or ")),
       fmt::format("{}", *bits), "");
}

void expect_entries(const Plan& plan, const Graph& reference, const PlannedPlaces& places,
                    const std::vector<std::string>& names) {
  std::set<std::string> values;
  std::set<std::string> convs;
  for (NodeId id = 0; id < names.size(); ++id) {
    const auto& operation = reference.node(id).operation;
    if (places.placement.has_grid(id)) {
      values.insert(names[id]);
      const auto found = plan.values.find(names[id]);
      expect_bits("values", names[id], plan.target.value_bits(operation),
                  found == plan.values.end() ? nullptr : &found->second.bits);
    }
    if (const auto found = plan.filters.find(names[id]); found != plan.filters.end()) {
      expect_bits("filters", names[id], plan.target.weight_bits(operation), &found->second.bits);
    }
    if (graph::filters_of(operation) && !places.float_convs.contains(id)) convs.insert(names[id]);
  }
  expect_names("values", "values that the target quantizes here", values, plan.values);
  expect_names("filters", "convolutions that are quantized", convs, plan.filters);
}

Graph centred(const Plan& plan, const Graph& graph) {
  const auto head = graph::integer_head(graph);
  const auto* conv =
      head.empty() ? nullptr : std::get_if<graph::Conv>(&graph.node(head.front()).operation);
  const int64_t numbers = conv == nullptr ? 0 : conv->weight[0].numel();
  if (std::cmp_not_equal(numbers, plan.head.filter.size())) {
    fail("plan: head.filter", fmt::format("{} numbers, those of a filter of the head", numbers),
         fmt::format("{}", plan.head.filter.size()), "");
  }
  graph::Centring centring;
  centring.filter = torch::tensor(plan.head.filter).view(conv->weight[0].sizes());
  centring.offset = plan.head.offset;
  return graph::center_logits(graph, centring);
}

}  // namespace

void expect_float(const Graph& graph) {
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    if (!std::holds_alternative<FakeQuantize>(graph.node(id).operation)) continue;
    fail(graph::node_names(graph)[id], "a float model", "one that is quantized already",
         "quantize the float file that it was made from");
  }
}

void expect_network_of(const Plan& plan, const Graph& network) {
  const std::string found = network_fingerprint(network);
  if (found == plan.network) return;
  fail("plan", fmt::format("the network {} that it was made for", plan.network),
       fmt::format("network {}", found), "make a plan of this network with --save-plan");
}

Graph reference_of(const Plan& plan, const Graph& network) {
  Graph reference = network;
  if (plan.head.centring == CentringOrder::kBeforeEqualization)
    reference = centred(plan, reference);
  if (!plan.equalization.empty()) reference = equalize(reference, plan.equalization);
  if (plan.head.centring == CentringOrder::kAfterEqualization) reference = centred(plan, reference);
  return reference;
}

Graph lower_head(const Graph& reference, double shift) {
  Graph lowered = reference;
  if (shift == 0) return lowered;
  const auto head = graph::integer_head(reference);
  if (head.empty()) {
    fail("plan: head.shift", "0 for a network without an integer head", fmt::format("{}", shift),
         "");
  }
  auto conv = std::get<graph::Conv>(reference.node(head.front()).operation);
  conv.bias = conv.bias - shift;
  lowered.replace(head.front(), std::move(conv));
  return lowered;
}

PlannedPlaces places_of(const Plan& plan, const Graph& reference) {
  const auto names = graph::node_names(reference);
  PlannedPlaces places;
  for (const auto& name : plan.float_convs) {
    const auto at = std::ranges::find(names, name);
    const auto id = static_cast<NodeId>(at - names.begin());
    if (at == names.end() || !graph::filters_of(reference.node(id).operation)) {
      fail("keep-float", "the name of a convolution (inspect graph lists them)", name, "");
    }
    places.float_convs.insert(id);
  }
  places.placement = place_grids(reference, plan.target, places.float_convs);
  return places;
}

AppliedPlan apply_plan(const Plan& plan, const Graph& network) {
  const torch::NoGradGuard no_grad;
  expect_float(network);
  AppliedPlan result;
  result.reference = reference_of(plan, network);
  const auto names = graph::node_names(result.reference);
  const auto places = places_of(plan, result.reference);
  expect_entries(plan, result.reference, places, names);
  GriddedGraph gridded =
      insert_grids(lower_head(result.reference, plan.head.shift), places.placement,
                   places.float_convs, shared_values(plan, places.placement, names));
  const auto scales = planned_scales(plan, result.reference, names, gridded);
  result.graph = quantize_weights(gridded.graph, scales, plan.target.bias);
  result.renamed = std::move(gridded.renamed);
  return result;
}

}  // namespace dualdepth::quantize
