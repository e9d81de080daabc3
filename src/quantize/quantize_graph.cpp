#include "dualdepth/quantize/quantize_graph.h"

#include <algorithm>

#include "dualdepth/base/error.h"
#include "dualdepth/base/parallel.h"
#include "dualdepth/graph/patterns.h"
#include "dualdepth/quantize/choose_range.h"
#include "dualdepth/quantize/equalization.h"
#include "dualdepth/quantize/weight_grid.h"

namespace dualdepth::quantize {
namespace {

using graph::Graph;
using graph::NodeId;

constexpr size_t kFittedPictures = 32;  // centring and equalization ask for little

void expect_float(const Graph& graph) {
  const auto names = graph::node_names(graph);
  for (NodeId id = 0; id < graph.nodes().size(); ++id) {
    const auto* conv = std::get_if<graph::Conv>(&graph.node(id).operation);
    const bool has_codes = conv != nullptr && conv->weight_scale.defined();
    if (!graph::is<graph::FakeQuantize>(graph, id) && !has_codes) continue;
    throw Error({.subject = names[id],
                 .expected = "a float model",
                 .got = "one that is quantized already",
                 .fix = "quantize the float file that it was made from"});
  }
}

void expect_expressible(const QuantizeOptions& options) {
  if (options.profile != OnnxProfile::kNpu ||
      options.granularity() == WeightGranularity::kPerTensor) {
    return;
  }
  throw Error({.subject = "profile npu",
               .expected = "weights per-tensor, the only ones that its chip has",
               .got = "per-channel",
               .fix = "leave --weights out, or choose another profile"});
}

FloatConvs find_convs(const Graph& graph, const std::vector<std::string>& wanted) {
  const auto names = graph::node_names(graph);
  FloatConvs found;
  for (const auto& name : wanted) {
    const auto at = std::ranges::find(names, name);
    const auto id = static_cast<NodeId>(at - names.begin());
    if (at == names.end() || !std::holds_alternative<graph::Conv>(graph.node(id).operation)) {
      throw Error({.subject = "keep-float",
                   .expected = "the name of a convolution (inspect graph lists them)",
                   .got = name,
                   .fix = ""});
    }
    found.insert(id);
  }
  return found;
}

bool can_be_centred(const Graph& graph) {
  const auto head = graph::integer_head(graph);
  return !head.empty() && !has_centred_head(graph);
}

class Quantizer {
 public:
  Quantizer(const Graph& graph, const ModelCard& card, const Pictures& pictures,
            const QuantizeOptions& options)
      : original_(graph), card_(card), pictures_(pictures), options_(options) {
    expect_float(graph);
    expect_expressible(options);
    threads_ = resolve_thread_count(options.threads);
    judged_ = pictures.spread(options.judged_pictures);
    wanted_ = predict_all(depth_of(original_, card_), judged_);
  }

  Quantization run() {
    Quantization result;
    result.reference = original_;
    double least = try_reference(original_, has_centred_head(original_) ? "centred" : "plain");
    const auto keep_if_better = [&](graph::Graph changed, const char* name) {
      const double error = try_reference(changed, name);
      if (error >= least) return false;
      least = error;
      result.reference = std::move(changed);
      return true;
    };
    const auto center = [&](const char* name) {
      if (!options_.center || !can_be_centred(result.reference)) return;
      auto centring = fit_centring(result.reference, pictures_.spread(kFittedPictures));
      if (keep_if_better(center_logits(result.reference, centring), name)) {
        result.centring = std::move(centring);
      }
    };
    center("centred");
    if (options_.equalize) {
      const auto before = result.reference;
      const auto peaks = measure_peaks(before, pictures_.spread(kFittedPictures));
      keep_if_better(equalize_maps(before, peaks, options_.granularity(), Beside::kIgnored),
                     "equalized");
      keep_if_better(equalize_maps(before, peaks, options_.granularity(), Beside::kMatched),
                     "also in Concats");
      center("centred last");
    }
    if (logits_of(result.reference)) {
      winners_ = WinnerRange::kNarrow;
      if (try_reference(result.reference, "narrow winners") >= least) winners_ = WinnerRange::kWide;
    }
    quantize(result, pictures_, options_.given_ranges);
    result.stages.push_back({"all pictures", error_of(result.graph)});
    fit(result);
    return result;
  }

 private:
  DepthError error_of(const Graph& graph) const {
    return depth_error(predict_all(depth_of(graph, card_), judged_), wanted_);
  }

  // How far a reference is in 8 bits, calibrated on few pictures.
  double try_reference(const Graph& reference, std::string name) {
    Quantization trial;
    trial.reference = reference;
    quantize(trial, judged_, std::nullopt);
    stages_.push_back({std::move(name), error_of(trial.graph)});
    return stages_.back().error.relative;
  }

  // Grids and filters rounded to nearest.
  void quantize(Quantization& result, const Pictures& pictures,
                const std::optional<RangeTable>& given) {
    const FloatConvs float_convs = find_convs(result.reference, options_.keep_float);
    const Placement placement = place_grids(result.reference, options_.profile, float_convs);
    const Calibration calibration = calibrate(result.reference, placement, pictures, threads_);
    const auto logits = logits_of(result.reference);
    if (logits && calibration.winners && placement.has_grid(*logits)) {
      lower_head(result.reference, *calibration.winners);
    }
    auto ranges = ranges_of(result.reference, placement, calibration);
    if (given) use_given(*given, graph::node_names(result.reference), ranges);
    result.ranges = table_of(result.reference, ranges);
    const GriddedGraph gridded = insert_grids(result.reference, placement, float_convs,
                                              grids_of(placement, result.reference, ranges));
    result.renamed = gridded.renamed;
    std::vector<NodeId> kept;
    for (const NodeId id : float_convs) kept.push_back(gridded.renamed[id]);
    result.graph = quantize_weights(gridded.graph, options_.granularity(), kept);
    result.stages = stages_;
  }

  // A centred head's bottom is 0: what lies between it and the winners is wasted.
  void lower_head(Graph& graph, const Histogram& winners) {
    head_shift_ = 0;
    if (!has_centred_head(graph)) return;
    head_shift_ = std::max(0.0, winner_range(winners, options_.ranges, winners_).low);
    const NodeId conv_id = graph::integer_head(graph).front();
    auto conv = std::get<graph::Conv>(graph.node(conv_id).operation);
    conv.bias = conv.bias - head_shift_;
    graph.replace(conv_id, std::move(conv));
  }

  std::map<NodeId, ValueRange> ranges_of(const Graph& graph, const Placement& placement,
                                         const Calibration& calibration) const {
    const auto logits = logits_of(graph);
    std::map<NodeId, ValueRange> ranges;
    for (NodeId id = 0; id < graph.nodes().size(); ++id) {
      const auto found = calibration.values.find(id);
      if (!placement.has_grid(id) || found == calibration.values.end()) continue;
      ranges[id] = choose_range(found->second, options_.ranges);
      if (std::holds_alternative<graph::Sigmoid>(graph.node(id).operation)) {
        ranges[id] = {0, 255.0 / 256};
      } else if (logits == id && calibration.winners) {
        ranges[id] = winner_range(*calibration.winners, options_.ranges, winners_);
        ranges[id].low = has_centred_head(graph) ? 0 : std::min(0.0, ranges[id].low);
        ranges[id].high = std::max(0.0, ranges[id].high - head_shift_);
      }
    }
    return ranges;
  }

  static void use_given(const RangeTable& given, const std::vector<std::string>& names,
                        std::map<NodeId, ValueRange>& ranges) {
    for (const auto& [name, range] : given) {
      const auto at = std::ranges::find(names, name);
      const auto id = static_cast<NodeId>(at - names.begin());
      if (at == names.end() || !ranges.contains(id)) {
        throw Error({.subject = "ranges",
                     .expected = "names of values that have a grid",
                     .got = name,
                     .fix = "--save-ranges writes a table of this model's"});
      }
      ranges[id] = range;
    }
  }

  static RangeTable table_of(const Graph& graph, const std::map<NodeId, ValueRange>& ranges) {
    const auto names = graph::node_names(graph);
    RangeTable table;
    for (const auto& [id, range] : ranges) table.emplace(names[id], range);
    return table;
  }

  // Values that share a grid share the union of their ranges.
  static std::vector<graph::FakeQuantize> grids_of(const Placement& placement, const Graph& graph,
                                                   const std::map<NodeId, ValueRange>& ranges) {
    std::vector<ValueRange> all(static_cast<size_t>(placement.grids));
    for (NodeId id = 0; id < graph.nodes().size(); ++id) {
      const auto found = ranges.find(id);
      if (found == ranges.end()) continue;
      all.at(static_cast<size_t>(placement.grid[id])).include(found->second);
    }
    std::vector<graph::FakeQuantize> grids;
    grids.reserve(all.size());
    for (const auto& range : all) grids.push_back(to_grid(range, placement.is_symmetric));
    return grids;
  }

  void fit(Quantization& result) {
    if (!options_.correct_bias && !options_.round_adaptively) return;
    auto fitted = fit_layers(result.reference, {result.graph, result.renamed}, pictures_,
                             {.correct_bias = options_.correct_bias,
                              .round_adaptively = options_.round_adaptively,
                              .positions = options_.positions});
    const double before = result.stages.back().error.mean;
    const char* name = options_.round_adaptively ? "adaptive rounding" : "bias corrected";
    result.stages.push_back({name, error_of(fitted.graph)});
    if (result.stages.back().error.mean > before) return;
    result.graph = std::move(fitted.graph);
    result.layers = std::move(fitted.layers);
  }

  const Graph& original_;
  const ModelCard& card_;
  const Pictures& pictures_;
  const QuantizeOptions& options_;
  int threads_ = 1;
  Pictures judged_;
  std::vector<DensePrediction> wanted_;  // of judged_, in float
  double head_shift_ = 0;
  WinnerRange winners_ = WinnerRange::kWide;
  std::vector<Stage> stages_;
};

}  // namespace

WeightGranularity QuantizeOptions::granularity() const {
  const bool npu = profile == OnnxProfile::kNpu;
  return weights.value_or(npu ? WeightGranularity::kPerTensor : WeightGranularity::kPerChannel);
}

Quantization quantize_graph(const Graph& graph, const ModelCard& card, const Pictures& pictures,
                            const QuantizeOptions& options) {
  const torch::NoGradGuard no_grad;
  return Quantizer(graph, card, pictures, options).run();
}

}  // namespace dualdepth::quantize
