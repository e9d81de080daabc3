#include "dualdepth/quantize/placement.h"

#include <algorithm>
#include <numeric>

#include "dualdepth/graph/patterns.h"

namespace dualdepth::quantize {
namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;

using graph::is;

class Placer {
 public:
  Placer(const Graph& graph, OnnxProfile profile, const FloatConvs& float_convs)
      : graph_(graph),
        for_tensorrt_(profile == OnnxProfile::kTensorRt),
        float_convs_(float_convs),
        readers_(graph.nodes().size()),
        is_output_(graph.nodes().size(), false),
        group_(graph.nodes().size()) {
    for (NodeId id = 0; id < graph.nodes().size(); ++id) {
      for (const NodeId input : graph.node(id).inputs) readers_[input].push_back(id);
    }
    for (const auto& output : graph.outputs()) is_output_[output.node] = true;
    std::iota(group_.begin(), group_.end(), NodeId{0});
  }

  Placement place() {
    const size_t count = graph_.nodes().size();
    Placement placement{.grid = std::vector<int>(count, Placement::kNone),
                        .node = std::vector<bool>(count, false),
                        .is_symmetric = for_tensorrt_};
    std::vector<bool> wanted(count);
    for (NodeId id = 0; id < count; ++id) wanted[id] = wants_grid(id);
    for (NodeId id = 0; id < count; ++id) {
      if (wanted[id]) share(id, wanted);
    }
    std::vector<int> number(count, Placement::kNone);
    for (NodeId id = 0; id < count; ++id) {
      if (!wanted[id]) continue;
      int& of_group = number[root(id)];
      if (of_group == Placement::kNone) of_group = placement.grids++;
      placement.grid[id] = of_group;
      placement.node[id] = !for_tensorrt_ || !keeps_values(id);
    }
    return placement;
  }

 private:
  bool only_relu_reads(NodeId id) const {
    return !is_output_[id] && readers_[id].size() == 1 &&
           is<graph::Relu>(graph_, readers_[id].front()) &&
           (is<graph::Conv>(graph_, id) || is<graph::Add>(graph_, id));
  }

  // Values that are some of those read.
  bool keeps_values(NodeId id) const {
    return is<graph::MaxPool>(graph_, id) || is<graph::Upsample>(graph_, id) ||
           (for_tensorrt_ && is<graph::Concat>(graph_, id));
  }

  bool computes_in_float(NodeId id) const {
    if (is<graph::Relu>(graph_, id) || is<graph::Sigmoid>(graph_, id)) {
      return computes_in_float(graph_.node(id).inputs[0]);
    }
    return is<graph::Input>(graph_, id) || is<graph::Affine>(graph_, id) ||
           float_convs_.contains(id);
  }

  bool wants_grid(NodeId id) const {
    if (only_relu_reads(id) || is<graph::ArgMax>(graph_, id) ||
        is<graph::ComposeDepth>(graph_, id)) {
      return false;
    }
    const auto asks = [&](NodeId reader) {
      return for_tensorrt_ ? tensorrt_asks(id, reader) : asks_in_general(reader);
    };
    if (std::ranges::any_of(readers_[id], asks)) return true;
    return !for_tensorrt_ && !computes_in_float(id);
  }

  bool asks_in_general(NodeId reader) const {
    return !float_convs_.contains(reader) && !is<graph::Affine>(graph_, reader) &&
           !is<graph::ArgMax>(graph_, reader) && !is<graph::ComposeDepth>(graph_, reader) &&
           !is<graph::Sigmoid>(graph_, reader);
  }

  bool tensorrt_asks(NodeId id, NodeId reader) const {
    if (is<graph::Conv>(graph_, reader)) return !float_convs_.contains(reader);
    if (is<graph::Add>(graph_, reader)) return id != fused_branch(reader);
    return keeps_values(reader) && wants_grid(reader);
  }

  // Of an Add's inputs the first that a convolution makes for it alone.
  NodeId fused_branch(NodeId add) const {
    for (const NodeId input : graph_.node(add).inputs) {
      if (is<graph::Conv>(graph_, input) && readers_[input].size() == 1) return input;
    }
    return graph_.nodes().size();
  }

  void share(NodeId id, const std::vector<bool>& wanted) {
    if (!keeps_values(id) && !is<graph::Concat>(graph_, id)) return;
    for (const NodeId input : graph_.node(id).inputs) {
      if (wanted[input]) group_[root(input)] = root(id);
    }
  }

  NodeId root(NodeId id) {
    while (group_[id] != id) id = group_[id] = group_[group_[id]];
    return id;
  }

  const Graph& graph_;
  bool for_tensorrt_;
  const FloatConvs& float_convs_;
  std::vector<std::vector<NodeId>> readers_;
  std::vector<bool> is_output_;
  std::vector<NodeId> group_;
};

}  // namespace

Placement place_grids(const Graph& graph, OnnxProfile profile, const FloatConvs& float_convs) {
  return Placer(graph, profile, float_convs).place();
}

bool reads_grid(const Graph& graph, const Placement& placement, const FloatConvs& float_convs,
                NodeId value, NodeId reader) {
  if (!placement.has_grid(value)) return false;
  NodeId maker = value;
  if (is<graph::Relu>(graph, maker)) maker = graph.node(maker).inputs[0];
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
      result.renamed[id] = result.graph.add_input(input->name, node.shape);
    } else {
      std::vector<NodeId> inputs;
      inputs.reserve(node.inputs.size());
      for (const NodeId read : node.inputs) {
        const bool grid = reads_grid(graph, placement, float_convs, read, id);
        inputs.push_back(grid ? gridded[read] : result.renamed[read]);
      }
      result.renamed[id] = result.graph.add(node.operation, std::move(inputs), node.module);
    }
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
