#include "dualdepth/quantize/layerwise.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>

#include "dualdepth/base/progress.h"
#include "dualdepth/graph/patterns.h"
#include "dualdepth/graph/run_graph.h"
#include "layer_fitter.h"

namespace dualdepth::quantize {
namespace {

using graph::Conv;
using graph::Graph;
using graph::NodeId;

// The maps of several pictures, those on a grid as bytes.
class MapStore {
 public:
  void set(NodeId id, size_t picture, const graph::Value& value, const graph::FakeQuantize* grid) {
    auto& entry = maps_[{id, picture}];
    if (grid == nullptr) {
      entry = {value, std::nullopt};
      return;
    }
    const auto steps = (value.real() / grid->scale).sub_(first_step(*grid));
    const auto type = grid->bits == 8 ? torch::kUInt8 : torch::kInt32;
    entry = {graph::Value(steps.round_().to(type)), *grid};
  }

  graph::Value get(NodeId id, size_t picture) const {
    const auto& [value, grid] = maps_.at({id, picture});
    if (!grid) return value;
    return value.real().to(torch::kFloat32).add_(first_step(*grid)).mul_(grid->scale);
  }

  void erase(NodeId id) {
    std::erase_if(maps_, [&](const auto& entry) { return entry.first.first == id; });
  }

 private:
  static double first_step(const graph::FakeQuantize& grid) {
    return static_cast<double>(grid.first_code() - grid.zero_point);
  }

  std::map<std::pair<NodeId, size_t>, std::pair<graph::Value, std::optional<graph::FakeQuantize>>>
      maps_;
};

class Fitting {
 public:
  Fitting(const Graph& reference, const GriddedGraph& gridded, const Pictures& pictures,
          const LayerwiseOptions& options)
      : reference_(reference),
        result_{.graph = gridded.graph, .layers = {}},
        original_(gridded.renamed),
        pictures_(pictures.spread(options.pictures)),
        options_(options),
        names_(graph::node_names(reference)),
        consumers_(reference),
        per_picture_((options.positions + static_cast<int64_t>(pictures_.count) - 1) /
                     static_cast<int64_t>(pictures_.count)) {}

  LayerwiseResult run() {
    sample_targets();
    const auto needed = needed_for_fitting();
    const auto last_reader = last_readers(needed);
    const auto total = std::ranges::count(needed, true);
    ProgressLine progress("fitting", static_cast<size_t>(total));
    size_t done = 0;
    for (NodeId id = 0; id < result_.graph.nodes().size(); ++id) {
      if (is_fitted(id)) fit(id);
      if (!needed[id]) continue;
      compute(id);
      for (NodeId before = 0; before <= id; ++before) {
        if (last_reader[before] == id) maps_.erase(before);
      }
      progress.update(++done);
    }
    return std::move(result_);
  }

 private:
  const Conv* conv_at(NodeId id) const {
    return std::get_if<Conv>(&result_.graph.node(id).operation);
  }
  // A sum of channels has nothing to round.
  bool is_fitted(NodeId id) const {
    const Conv* conv = conv_at(id);
    return conv != nullptr && conv->weight_scale.defined() && is_sampled(*conv);
  }

  // What the float graph says at each layer's positions.
  void sample_targets() {
    const std::vector<NodeId> ends = last_layer_inputs();  // what lies behind them is not computed
    for (size_t picture = 0; picture < pictures_.count; ++picture) {
      graph::run_graph(reference_, pictures_.at(picture), ends,
                       [&](NodeId id, const torch::Tensor& value) {
                         for (const NodeId consumer : consumers_.of(id)) {
                           add_targets(id, consumer, value, picture);
                         }
                       });
    }
  }

  static bool is_sampled(const Conv& conv) { return conv.groups == 1 && !graph::sums_groups(conv); }

  static bool is_sampled(const graph::Node& node) {
    const auto* conv = std::get_if<Conv>(&node.operation);
    return conv != nullptr && is_sampled(*conv);
  }

  // Values that layers read and that no other such value depends on.
  std::vector<NodeId> last_layer_inputs() const {
    const auto& nodes = reference_.nodes();
    std::vector<bool> is_read(nodes.size(), false), needed(nodes.size(), false);
    for (const auto& node : nodes) {
      if (is_sampled(node)) is_read[node.inputs[0]] = true;
    }
    std::vector<NodeId> last;
    for (NodeId id = nodes.size(); id-- > 0;) {
      if (!is_read[id] && !needed[id]) continue;
      if (!needed[id]) last.push_back(id);
      for (const NodeId input : nodes[id].inputs) needed[input] = true;
    }
    return last;
  }

  void add_targets(NodeId value_id, NodeId consumer, const torch::Tensor& value, size_t picture) {
    const auto& node = reference_.node(consumer);
    if (!is_sampled(node) || node.inputs[0] != value_id) return;
    const auto* conv = std::get_if<Conv>(&node.operation);
    const auto positions = positions_of(consumer, picture);
    const auto patches = input_patches(*conv, value, node.shape[3], positions);
    targets_[consumer].push_back(torch::addmm(conv->bias, patches, filter_rows(conv->weight).t()));
  }

  torch::Tensor positions_of(NodeId reference_id, size_t picture) const {
    return draw_positions(reference_.node(reference_id).shape, per_picture_, options_.seed,
                          reference_id, picture);
  }

  NodeId reference_id(NodeId id) const {
    return static_cast<NodeId>(std::ranges::find(original_, id) - original_.begin());
  }

  std::optional<graph::Clip> clamp_behind(NodeId reference) const {
    constexpr float kNoEnd = std::numeric_limits<float>::infinity();
    const auto next = consumers_.only(reference);
    if (!next) return std::nullopt;
    if (graph::is<graph::Relu>(reference_, *next)) return graph::Clip{0, kNoEnd};
    const auto* clip = std::get_if<graph::Clip>(&reference_.node(*next).operation);
    return clip != nullptr ? std::optional(*clip) : std::nullopt;
  }

  void fit(NodeId id) {
    const NodeId reference = reference_id(id);
    const Conv conv = *conv_at(id);
    const NodeId in = result_.graph.node(id).inputs[0];
    std::vector<torch::Tensor> patches;
    patches.reserve(pictures_.count);
    for (size_t picture = 0; picture < pictures_.count; ++picture) {
      patches.push_back(input_patches(conv, maps_.get(in, picture).real(),
                                      result_.graph.node(id).shape[3],
                                      positions_of(reference, picture)));
    }
    // Positions of all pictures among those held back.
    const auto shuffled = [&](const std::vector<torch::Tensor>& parts) {
      return torch::stack(parts).transpose(0, 1).flatten(0, 1).contiguous();
    };
    const LayerSamples samples{.inputs = shuffled(patches),
                               .targets = shuffled(targets_.at(reference)),
                               .clamp = clamp_behind(reference)};
    targets_.erase(reference);
    LayerFit report{.name = names_.at(reference)};
    const auto grid = graph::grid_of(result_.graph, in);
    const auto& original = std::get<Conv>(reference_.node(reference).operation);
    const BiasGrid bias{grid ? std::optional(grid->scale) : std::nullopt, options_.bias};
    result_.graph.replace(id, fit_layer(conv, original.weight, bias, options_, samples, report));
    result_.layers.push_back(std::move(report));
  }

  void compute(NodeId id) {
    const auto& node = result_.graph.node(id);
    const auto* grid = std::get_if<graph::FakeQuantize>(&node.operation);
    for (size_t picture = 0; picture < pictures_.count; ++picture) {
      if (std::holds_alternative<graph::Input>(node.operation)) {
        maps_.set(id, picture, pictures_.at(picture), nullptr);
        continue;
      }
      std::vector<graph::Value> inputs;
      inputs.reserve(node.inputs.size());
      for (const NodeId input : node.inputs) inputs.push_back(maps_.get(input, picture));
      maps_.set(id, picture, graph::run_node(result_.graph, id, inputs), grid);
    }
  }

  // Values that some fitted layer depends on.
  std::vector<bool> needed_for_fitting() const {
    std::vector<bool> needed(result_.graph.nodes().size(), false);
    for (NodeId id = needed.size(); id-- > 0;) {
      if (!is_fitted(id) && !needed[id]) continue;
      for (const NodeId input : result_.graph.node(id).inputs) needed[input] = true;
    }
    return needed;
  }

  std::vector<NodeId> last_readers(const std::vector<bool>& needed) const {
    std::vector<NodeId> last(needed.size(), needed.size());
    for (NodeId id = 0; id < needed.size(); ++id) {
      if (!needed[id] && !is_fitted(id)) continue;
      for (const NodeId input : result_.graph.node(id).inputs) last[input] = id;
    }
    return last;
  }

  const Graph& reference_;
  LayerwiseResult result_;
  std::vector<NodeId> original_;
  Pictures pictures_;
  LayerwiseOptions options_;
  std::vector<std::string> names_;
  graph::Consumers consumers_;
  int64_t per_picture_;
  std::map<NodeId, std::vector<torch::Tensor>> targets_;
  MapStore maps_;
};

}  // namespace

LayerwiseResult fit_layers(const Graph& reference, const GriddedGraph& gridded,
                           const Pictures& pictures, const LayerwiseOptions& options) {
  const torch::NoGradGuard no_grad;
  return Fitting(reference, gridded, pictures, options).run();
}

}  // namespace dualdepth::quantize
