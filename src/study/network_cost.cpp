#include "dualdepth/study/network_cost.h"

#include <functional>
#include <numeric>
#include <set>

#include "dualdepth/graph/operator_table.h"

namespace dualdepth::study {
namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;

bool is_of_head(const Node& node) { return node.module.find("head_") != std::string::npos; }

int64_t numbers_of(const Node& node) {
  return std::accumulate(node.shape.begin(), node.shape.end(), int64_t{1}, std::multiplies<>());
}

// Arithmetic that a host does with what it is handed.
bool is_of_host(const Node& node) {
  return std::holds_alternative<graph::ComposeDepth>(node.operation) ||
         std::holds_alternative<graph::Affine>(node.operation) ||
         std::holds_alternative<graph::Cast>(node.operation);
}

void add_handed_out(const Graph& graph, NodeId id, std::set<NodeId>& seen, NetworkCost& cost) {
  if (!seen.insert(id).second) return;
  const Node& node = graph.node(id);
  int64_t bytes = 4;
  if (const auto grid = graph::grid_of(graph, id)) {
    bytes = grid->bits / 8;
  } else if (std::holds_alternative<graph::ArgMax>(node.operation)) {
    bytes = graph.node(node.inputs.at(0)).shape.at(1) <= 256 ? 1 : 2;
  } else if (is_of_host(node)) {
    for (const NodeId input : node.inputs) add_handed_out(graph, input, seen, cost);
    return;
  }
  cost.handed_out_values += numbers_of(node);
  cost.handed_out_bytes += bytes * numbers_of(node);
}

}  // namespace

NetworkCost network_cost(const Graph& graph) {
  NetworkCost cost;
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    const Node& node = graph.node(id);
    const int64_t macs = graph::multiply_accumulates(graph, id);
    cost.parameters += graph::entry_of(node.operation).parameters(node.operation);
    cost.macs += macs;
    if (is_of_head(node)) cost.head_macs += macs;
  }
  std::set<NodeId> seen;
  for (const graph::Output& output : graph.outputs()) {
    add_handed_out(graph, output.node, seen, cost);
  }
  return cost;
}

nlohmann::ordered_json to_json(const NetworkCost& cost) {
  return {{"parameters", cost.parameters},
          {"macs", cost.macs},
          {"head_macs", cost.head_macs},
          {"handed_out_bytes", cost.handed_out_bytes},
          {"handed_out_values", cost.handed_out_values}};
}

NetworkCost network_cost_from(const nlohmann::json& json) {
  return {.parameters = json.at("parameters"),
          .macs = json.at("macs"),
          .head_macs = json.at("head_macs"),
          .handed_out_bytes = json.at("handed_out_bytes"),
          .handed_out_values = json.at("handed_out_values")};
}

}  // namespace dualdepth::study
