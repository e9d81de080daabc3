#include "dualdepth/quantize/layerwise.h"

#include <algorithm>
#include <map>
#include <optional>

#include "dualdepth/base/progress.h"
#include "dualdepth/base/random.h"
#include "dualdepth/graph/filters.h"
#include "dualdepth/graph/patterns.h"
#include "dualdepth/graph/run_graph.h"
#include "dualdepth/quantize/adaptive_rounding.h"
#include "dualdepth/quantize/choose_range.h"
#include "dualdepth/quantize/weight_grid.h"

namespace dualdepth::quantize {
namespace {

using graph::Conv;
using graph::Graph;
using graph::NodeId;

constexpr int kBiasRounds = 4;
constexpr double kLeastAlive = 0.02;
constexpr double kScaleShares[] = {1, 0.85, 1.2};  // of the step, tried in adaptive rounding

// Output pixels y * W + x of one picture, drawn for one layer.
torch::Tensor draw_positions(const graph::Shape& shape, int64_t count, uint64_t seed, NodeId layer,
                             size_t picture) {
  RandomStream random({seed, layer, picture});
  auto positions = torch::empty({count}, torch::kInt64);
  auto* out = positions.mutable_data_ptr<int64_t>();
  const auto pixels = static_cast<uint64_t>(shape[2] * shape[3]);
  for (int64_t i = 0; i < count; ++i) out[i] = static_cast<int64_t>(random.below(pixels));
  return positions;
}

// What the convolution reads at output pixels: [P, C kh kw] in the order of its weight. in: one
// picture.
torch::Tensor input_patches(const Conv& conv, const torch::Tensor& in, int64_t out_width,
                            const torch::Tensor& positions) {
  const auto [up, left] = conv.padding;
  const auto padded = torch::constant_pad_nd(in, {left, left, up, up})[0].permute({1, 2, 0});
  const int64_t width = padded.size(1);
  const auto rows = padded.contiguous().view({-1, padded.size(2)});
  const auto y = positions.floor_divide(out_width) * conv.stride[0];
  const auto x = positions.remainder(out_width) * conv.stride[1];
  std::vector<torch::Tensor> taps;
  for (int64_t i = 0; i < conv.weight.size(2); ++i) {
    for (int64_t j = 0; j < conv.weight.size(3); ++j) {
      const auto row = (y + i * conv.dilation[0]) * width + x + j * conv.dilation[1];
      taps.push_back(rows.index_select(0, row));
    }
  }
  return torch::stack(taps, 2).flatten(1);
}

// Filters as rows, [O, C kh kw].
torch::Tensor rows_of(const torch::Tensor& weight) { return weight.flatten(1).contiguous(); }

// Sampled inputs and expected outputs of one layer; the last fifth of the rows is held out.
struct LayerSamples {
  torch::Tensor inputs, targets;
  bool has_relu = false;

  int64_t fitted() const { return inputs.size(0) * 4 / 5; }

  torch::Tensor passed_on(const torch::Tensor& values) const {
    return has_relu ? values.relu() : values;
  }

  // The outputs without a bias, [P, O].
  torch::Tensor products(const torch::Tensor& weight) const {
    return inputs.matmul(rows_of(weight).t());
  }

  // Relative mean square error on the rows that are held out.
  double error(const torch::Tensor& products, const torch::Tensor& bias) const {
    const auto expected = passed_on(targets.slice(0, fitted()));
    const auto computed = passed_on(products.slice(0, fitted()) + bias);
    const double variance = expected.var().item<double>();
    return (computed - expected).square().mean().item<double>() / std::max(variance, 1e-20);
  }

  // The bias plus the mean of what is missing behind the Relu.
  torch::Tensor corrected_bias(const torch::Tensor& products, const torch::Tensor& bias) const {
    const auto expected = passed_on(targets.slice(0, 0, fitted()));
    const auto raw = products.slice(0, 0, fitted()) + bias;
    auto shift = torch::zeros_like(bias);
    for (int round = 0; round < kBiasRounds; ++round) {
      const auto computed = raw + shift;
      const auto alive = has_relu
                             ? computed.gt(0).to(torch::kFloat32).mean(0).clamp_min(kLeastAlive)
                             : torch::ones_like(shift);
      shift += (expected - passed_on(computed)).mean(0) / alive;
      if (!has_relu) break;
    }
    return bias + shift;
  }
};

// What the convolution's bias is stored in.
struct BiasGrid {
  std::optional<float> input_scale = {};  // of the value that the convolution reads
  BiasFormat format = BiasFormat::kInt32;

  std::optional<float> rounded_to() const {
    return format == BiasFormat::kInt32 ? input_scale : std::nullopt;
  }
};

// Tries filters and biases for one layer and keeps those with the least error.
class LayerFitter {
 public:
  LayerFitter(const Conv& before, torch::Tensor float_weight, BiasGrid bias,
              const LayerwiseOptions& options)
      : best_(before), float_weight_(std::move(float_weight)), bias_(bias), options_(options) {}

  Conv fit(const LayerSamples& samples, LayerFit& report) {
    report.error_before = least_ = samples.error(samples.products(best_.weight), best_.bias);
    try_filters(best_, samples, report, /*rounded=*/false);
    // Of 16 bits the nearest codes are as good as any.
    const auto codes = best_.weight / best_.weight_scale.view({-1, 1, 1, 1});
    const bool is_wide = codes.abs().max().item<float>() > 128;
    if (options_.round_adaptively && !is_wide) {
      const auto rows = rows_of(float_weight_);
      const AdaptiveRounding rounding(samples.inputs.slice(0, 0, samples.fitted()));
      const auto moved = rounding.refit(rows, samples.targets.slice(0, 0, samples.fitted()));
      const Conv nearest = best_;
      for (const double share : kScaleShares) {
        for (const auto& start : {rows, moved}) {
          Conv conv = nearest;
          conv.weight_scale = nearest.weight_scale * share;
          if (bias_.input_scale) {
            conv.weight_scale = scale_for_bias(conv.weight_scale, nearest.bias, *bias_.input_scale);
          }
          conv.weight = rounding.round(start, conv.weight_scale).view(float_weight_.sizes());
          try_filters(std::move(conv), samples, report, /*rounded=*/true);
        }
      }
    }
    report.error_after = least_;
    return best_;
  }

 private:
  // The filters of `conv` with its own bias and with a corrected one.
  void try_filters(Conv conv, const LayerSamples& samples, LayerFit& report, bool rounded) {
    const auto products = samples.products(conv.weight);
    const auto consider = [&](bool corrected) {
      auto gridded = std::get<Conv>(graph::with_filters(
          conv, on_grid(conv.weight, conv.bias, conv.weight_scale, bias_.rounded_to())));
      const double error = samples.error(products, gridded.bias);
      if (!(error < least_)) return;
      least_ = error;
      best_ = std::move(gridded);
      report.rounded = rounded;
      report.bias_corrected = corrected;
    };
    consider(/*corrected=*/false);
    if (!options_.correct_bias) return;
    conv.bias = samples.corrected_bias(products, conv.bias);
    consider(/*corrected=*/true);
  }

  Conv best_;
  torch::Tensor float_weight_;
  BiasGrid bias_;
  const LayerwiseOptions& options_;
  double least_ = 0;
};

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
  bool is_fitted(NodeId id) const {
    const Conv* conv = conv_at(id);
    return conv != nullptr && conv->groups == 1 && conv->weight_scale.defined();
  }

  // What the float graph says at each layer's positions.
  void sample_targets() {
    for (size_t picture = 0; picture < pictures_.count; ++picture) {
      const auto ends = graph::output_nodes(reference_);
      graph::run_graph(
          reference_, pictures_.at(picture), ends, [&](NodeId id, const torch::Tensor& value) {
            for (NodeId reader = id + 1; reader < reference_.nodes().size(); ++reader) {
              add_targets(id, reader, value, picture);
            }
          });
    }
  }

  void add_targets(NodeId value_id, NodeId reader, const torch::Tensor& value, size_t picture) {
    const auto& node = reference_.node(reader);
    const auto* conv = std::get_if<Conv>(&node.operation);
    if (conv == nullptr || conv->groups != 1 || node.inputs[0] != value_id) return;
    const auto positions = positions_of(reader, picture);
    const auto patches = input_patches(*conv, value, node.shape[3], positions);
    targets_[reader].push_back(torch::addmm(conv->bias, patches, rows_of(conv->weight).t()));
  }

  torch::Tensor positions_of(NodeId reference_id, size_t picture) const {
    return draw_positions(reference_.node(reference_id).shape, per_picture_, options_.seed,
                          reference_id, picture);
  }

  NodeId reference_id(NodeId id) const {
    return static_cast<NodeId>(std::ranges::find(original_, id) - original_.begin());
  }

  bool relu_follows(NodeId reference) const {
    return graph::relu_behind(reference_, reference).has_value();
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
                               .has_relu = relu_follows(reference)};
    targets_.erase(reference);
    LayerFit report{.name = names_.at(reference)};
    const auto grid = graph::grid_of(result_.graph, in);
    const auto& original = std::get<Conv>(reference_.node(reference).operation);
    const BiasGrid bias{grid ? std::optional(grid->scale) : std::nullopt, options_.bias};
    LayerFitter fitter(conv, original.weight, bias, options_);
    result_.graph.replace(id, fitter.fit(samples, report));
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
