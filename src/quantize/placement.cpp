#include "dualdepth/quantize/placement.h"

#include <algorithm>
#include <numeric>

#include "dualdepth/graph/patterns.h"
#include "dualdepth/quantize/target.h"

namespace dualdepth::quantize {
namespace {

using graph::Graph;
using graph::is;
using graph::Node;
using graph::NodeId;

class Placer {
 public:
  Placer(const Graph& graph, const Target& target, const FloatConvs& float_convs)
      : graph_(graph),
        target_(target),
        float_convs_(float_convs),
        consumers_(graph),
        group_(graph.nodes().size()) {
    std::iota(group_.begin(), group_.end(), NodeId{0});
  }

  Placement place() {
    const size_t count = graph_.nodes().size();
    Placement placement{.grid = std::vector<int>(count, Placement::kNone),
                        .node = std::vector<bool>(count, false),
                        .is_symmetric = target_.values.is_symmetric};
    std::vector<bool> wanted(count);
    for (NodeId id = 0; id < count; ++id) wanted[id] = has_codes(id);
    for (NodeId id = 0; id < count; ++id) {
      if (wanted[id]) share(id, wanted);
    }
    std::vector<int> number(count, Placement::kNone);
    for (NodeId id = 0; id < count; ++id) {
      if (!wanted[id]) continue;
      int& of_group = number[root(id)];
      if (of_group == Placement::kNone) of_group = placement.grids++;
      placement.grid[id] = of_group;
      placement.node[id] = rule(id).writes != Access::kMoves;
    }
    return placement;
  }

 private:
  OperatorRule rule(NodeId id) const { return target_.rule(graph_.node(id).operation); }

  bool is_fused_with_relu(NodeId id) const {
    const auto next = consumers_.only(id);
    return rule(id).fuses_with(Fused::kRelu) && next && graph::is_clamp(graph_, *next);
  }

  // An Add computes the first convolution that writes for it only.
  bool is_fused_with_add(NodeId id) const {
    const auto next = consumers_.only(id);
    if (!next || !is<graph::Add>(graph_, *next) || !rule(*next).fuses_with(Fused::kConv)) {
      return false;
    }
    const auto is_first = [&](NodeId input) {
      return is<graph::Conv>(graph_, input) && consumers_.of(input).size() == 1;
    };
    return *std::ranges::find_if(graph_.node(*next).inputs, is_first) == id;
  }

  bool computes_in_float(NodeId id) const {
    if (graph::is_clamp(graph_, id) || is<graph::Sigmoid>(graph_, id)) {
      return computes_in_float(graph_.node(id).inputs[0]);
    }
    return rule(id).writes == Access::kFloat || float_convs_.contains(id);
  }

  bool has_codes(NodeId id) const {
    if (is_fused_with_relu(id) || is_fused_with_add(id)) return false;
    const auto reads = [&](NodeId consumer) { return reads_codes(consumer); };
    if (std::ranges::any_of(consumers_.of(id), reads)) return true;
    return rule(id).writes == Access::kCodes && !computes_in_float(id);
  }

  bool reads_codes(NodeId consumer) const {
    const OperatorRule by = rule(consumer);
    if (by.reads == Access::kMoves) return has_codes(consumer);
    return by.reads == Access::kCodes && !float_convs_.contains(consumer);
  }

  void share(NodeId id, const std::vector<bool>& wanted) {
    if (!rule(id).has_one_scale) return;
    for (const NodeId input : graph_.node(id).inputs) {
      if (wanted[input]) group_[root(input)] = root(id);
    }
  }

  NodeId root(NodeId id) {
    while (group_[id] != id) id = group_[id] = group_[group_[id]];
    return id;
  }

  const Graph& graph_;
  const Target& target_;
  const FloatConvs& float_convs_;
  graph::Consumers consumers_;
  std::vector<NodeId> group_;
};

}  // namespace

Placement place_grids(const Graph& graph, const Target& target, const FloatConvs& float_convs) {
  return Placer(graph, target, float_convs).place();
}

Placement place_grids(const Graph& graph, OnnxProfile profile, const FloatConvs& float_convs) {
  return place_grids(graph, target_of(profile), float_convs);
}

bool reads_grid(const Graph& graph, const Placement& placement, const FloatConvs& float_convs,
                NodeId value, NodeId reader) {
  if (!placement.has_grid(value)) return false;
  NodeId maker = value;
  if (graph::is_clamp(graph, maker)) maker = graph.node(maker).inputs[0];
  const bool made_in_float = is<graph::Affine>(graph, maker) || is<graph::Input>(graph, maker) ||
                             float_convs.contains(maker);
  const bool read_in_float = float_convs.contains(reader) || is<graph::Affine>(graph, reader);
  return !(made_in_float && read_in_float);
}

GriddedGraph insert_grids(const Graph& graph, const Placement& placement,
                          const FloatConvs& float_convs,
                          const std::vector<graph::FakeQuantize>& grids) {
  GriddedGraph result;
  const size_t count = graph.nodes().size();
  result.renamed.resize(count);
  std::vector<NodeId> gridded(count);
  for (NodeId id = 0; id < count; ++id) {
    const Node& node = graph.node(id);
    if (const auto* input = std::get_if<graph::Input>(&node.operation)) {
      result.renamed[id] = result.graph.add_input(input->name, node.shape, node.type);
    } else {
      std::vector<NodeId> inputs;
      inputs.reserve(node.inputs.size());
      for (const NodeId read : node.inputs) {
        const bool grid = reads_grid(graph, placement, float_convs, read, id);
        inputs.push_back(grid ? gridded[read] : result.renamed[read]);
      }
      result.renamed[id] = result.graph.add(node.operation, std::move(inputs), node.module);
    }
    result.graph.set_file_value(result.renamed[id], node.file_value);
    gridded[id] = result.renamed[id];
    if (placement.node[id]) {
      gridded[id] = result.graph.add(grids.at(static_cast<size_t>(placement.grid[id])),
                                     {result.renamed[id]}, node.module);
    }
  }
  result.graph.set_outputs(graph::renamed_outputs(graph, gridded));
  return result;
}

GriddedGraph without_grids(const Graph& gridded, const std::set<NodeId>& dropped) {
  GriddedGraph result;
  for (NodeId id = 0; id < gridded.nodes().size(); ++id) {
    const Node& node = gridded.node(id);
    result.renamed.push_back(dropped.contains(id)
                                 ? result.renamed.at(node.inputs[0])
                                 : graph::add_copy(result.graph, node, result.renamed));
  }
  result.graph.set_outputs(graph::renamed_outputs(gridded, result.renamed));
  return result;
}

}  // namespace dualdepth::quantize
