#include "dualdepth/quantize/quantize_graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "dualdepth/base/error.h"
#include "dualdepth/base/parallel.h"
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
    if (!std::holds_alternative<graph::FakeQuantize>(graph.node(id).operation)) continue;
    throw Error({.subject = names[id],
                 .expected = "a float model",
                 .got = "one that is quantized already",
                 .fix = "quantize the float file that it was made from"});
  }
}

void expect_allowed(const QuantizeOptions& options) {
  const Target& target = options.chosen_target();
  if (std::ranges::count(target.granularities, options.granularity()) > 0) return;
  throw Error({.subject = fmt::format("target {}", target.name),
               .expected = fmt::format("weights {}, the only ones that it has",
                                       enum_name(target.granularities.front())),
               .got = std::string(enum_name(options.granularity())),
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

bool has_centred_head(const Graph& graph) {
  const auto head = graph::integer_head(graph);
  return head.size() > 1 && std::holds_alternative<graph::Relu>(graph.node(head[1]).operation);
}

bool can_be_centred(const Graph& graph) {
  const auto head = graph::integer_head(graph);
  return !head.empty() && !has_centred_head(graph);
}

// The node whose value the winners of an integer head are.
std::optional<NodeId> logits_of(const Graph& graph) {
  auto head = graph::integer_head(graph);
  if (head.empty()) return std::nullopt;
  if (std::holds_alternative<graph::ArgMax>(graph.node(head.back()).operation)) head.pop_back();
  return head.back();
}

// NaN, the error of a network that computes NaN, is worse than any number.
bool is_better(double error, double least) {
  return error < least || (std::isnan(least) && !std::isnan(error));
}

// A float network that computes the same function as the one to quantize, and how its head is.
struct Candidate {
  Graph reference;
  std::optional<graph::Centring> centring = {};
  WinnerRange winners = WinnerRange::kWide;
};

class Quantizer {
 public:
  Quantizer(const Graph& graph, const Contract& contract, const Pictures& pictures,
            const QuantizeOptions& options)
      : original_(graph), contract_(contract), pictures_(pictures), options_(options) {
    expect_float(graph);
    expect_allowed(options);
    threads_ = resolve_thread_count(options.threads);
    judged_ = pictures.spread(options.judged_pictures);
    expected_ = predict_all(depth_of(original_, contract_), judged_);
  }

  Quantization run() const {
    std::vector<Stage> stages;
    const Candidate best = choose(stages);
    Quantization result = quantize(best, pictures_, options_.given_ranges);
    stages.push_back({"all pictures", error_of(result.graph)});
    fit(result, stages);
    result.stages = std::move(stages);
    return result;
  }

 private:
  // The candidate whose depth in 8 bits is nearest to float's, with filters rounded to nearest and
  // ranges of few pictures.
  Candidate choose(std::vector<Stage>& stages) const {
    Candidate best{original_};
    double least = std::nan("");
    const auto consider = [&](Candidate candidate, std::string name) {
      const Quantization trial = quantize(candidate, judged_, std::nullopt);
      stages.push_back({std::move(name), error_of(trial.graph)});
      const double error = stages.back().error.relative;
      if (!is_better(error, least)) return;
      least = error;
      best = std::move(candidate);
    };
    const auto consider_centred = [&](const char* name) {
      if (!options_.center || !can_be_centred(best.reference)) return;
      auto centring = fit_centring(best.reference, pictures_.spread(kFittedPictures));
      consider({center_logits(best.reference, centring), centring, best.winners}, name);
    };
    consider(best, has_centred_head(original_) ? "centred" : "plain");
    consider_centred("centred");
    if (options_.equalize) {
      // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): best changes
      const Candidate before = best;
      const auto peaks = measure_peaks(before.reference, pictures_.spread(kFittedPictures));
      const auto equalized = [&](Beside beside) {
        return equalize_maps(before.reference, peaks, options_.granularity(), beside);
      };
      consider({equalized(Beside::kIgnored), before.centring, before.winners}, "equalized");
      consider({equalized(Beside::kMatched), before.centring, before.winners}, "also in Concats");
      consider_centred("centred last");
    }
    if (logits_of(best.reference)) {
      const bool is_centred = has_centred_head(best.reference);
      consider({best.reference, best.centring,
                is_centred ? WinnerRange::kNarrow : WinnerRange::kTight},
               "narrow winners");
    }
    return best;
  }

  DepthError error_of(const Graph& graph) const {
    return depth_error(predict_all(depth_of(graph, contract_), judged_), expected_);
  }

  // Values in codes, filters rounded to nearest.
  Quantization quantize(const Candidate& candidate, const Pictures& pictures,
                        const std::optional<RangeTable>& given) const {
    const Target& target = options_.chosen_target();
    Quantization result;
    result.reference = candidate.reference;
    result.centring = candidate.centring;
    result.bias = target.bias;
    const FloatConvs float_convs = find_convs(result.reference, options_.keep_float);
    const Placement placement = place_grids(result.reference, target, float_convs);
    const Calibration calibration = calibrate(result.reference, placement, pictures, threads_);
    result.head_shift = head_shift(candidate, placement, calibration);
    auto ranges = ranges_of(candidate, placement, calibration, result.head_shift);
    if (given) use_given(*given, result.reference, placement, ranges);
    const auto shared = shared_ranges(placement, result.reference, ranges);
    result.ranges = table_of(result.reference, placement, shared);
    std::vector<graph::FakeQuantize> scales;
    scales.reserve(shared.size());
    for (const auto& range : shared) scales.push_back(to_grid(range, target.values));
    const Graph lowered = lower_head(result.reference, result.head_shift);
    GriddedGraph gridded = insert_grids(lowered, placement, float_convs, scales);
    std::vector<NodeId> kept;
    for (const NodeId id : float_convs) kept.push_back(gridded.renamed[id]);
    result.graph = quantize_weights(gridded.graph, {options_.granularity(), target.bias}, kept);
    result.renamed = std::move(gridded.renamed);
    return result;
  }

  // What lies between the bottom of a centred head, which is 0, and its winners.
  double head_shift(const Candidate& candidate, const Placement& placement,
                    const Calibration& calibration) const {
    const Graph& graph = candidate.reference;
    const auto logits = logits_of(graph);
    const bool is_lowered =
        logits && calibration.winners && placement.has_grid(*logits) && has_centred_head(graph);
    if (!is_lowered) return 0;
    return std::max(0.0,
                    winner_range(*calibration.winners, options_.ranges, candidate.winners).low);
  }

  std::map<NodeId, ValueRange> ranges_of(const Candidate& candidate, const Placement& placement,
                                         const Calibration& calibration, double shift) const {
    const Graph& graph = candidate.reference;
    const auto logits = logits_of(graph);
    std::map<NodeId, ValueRange> ranges;
    for (NodeId id = 0; id < graph.nodes().size(); ++id) {
      const auto found = calibration.values.find(id);
      if (!placement.has_grid(id) || found == calibration.values.end()) continue;
      ranges[id] = choose_range(found->second, options_.ranges, options_.chosen_target().values);
      if (std::holds_alternative<graph::Sigmoid>(graph.node(id).operation)) {
        ranges[id] = {0, 255.0 / 256};
      } else if (logits == id && calibration.winners) {
        ranges[id] = winner_range(*calibration.winners, options_.ranges, candidate.winners);
        ranges[id].low = has_centred_head(graph) ? 0 : std::min(0.0, ranges[id].low);
        ranges[id].high = std::max(0.0, ranges[id].high - shift);
      }
    }
    return ranges;
  }

  // Given ranges replace the calibrated ones of all values that share the scale. Those of values
  // that have no scale, such as between two convolutions in float, have no effect.
  static void use_given(const RangeTable& given, const Graph& graph, const Placement& placement,
                        std::map<NodeId, ValueRange>& ranges) {
    const auto names = graph::node_names(graph);
    std::map<int, std::pair<std::string, ValueRange>> of_scale;
    for (const auto& [name, range] : given) {
      const auto at = std::ranges::find(names, name);
      if (at == names.end()) {
        throw Error({.subject = "ranges",
                     .expected = "names of values of this model",
                     .got = name,
                     .fix = "--save-ranges writes a table of this model's"});
      }
      const int scale = placement.grid.at(static_cast<size_t>(at - names.begin()));
      if (scale == Placement::kNone) continue;
      const auto& [first, agreed] = of_scale.try_emplace(scale, name, range).first->second;
      if (agreed == range) continue;
      throw Error({.subject = "ranges",
                   .expected = fmt::format("the range of {}, whose scale it shares", first),
                   .got = fmt::format("[{}, {}] for {}", range.low, range.high, name),
                   .fix = "give all values that share a scale the same range"});
    }
    for (auto& [id, range] : ranges) {
      const auto found = of_scale.find(placement.grid.at(id));
      if (found != of_scale.end()) range = found->second.second;
    }
  }

  static RangeTable table_of(const Graph& graph, const Placement& placement,
                             const std::vector<ValueRange>& shared) {
    const auto names = graph::node_names(graph);
    RangeTable table;
    for (NodeId id = 0; id < names.size(); ++id) {
      if (!placement.has_grid(id)) continue;
      table.emplace(names[id], shared.at(static_cast<size_t>(placement.grid[id])));
    }
    return table;
  }

  // Values that share a scale share the union of their ranges.
  static std::vector<ValueRange> shared_ranges(const Placement& placement, const Graph& graph,
                                               const std::map<NodeId, ValueRange>& ranges) {
    std::vector<ValueRange> all(static_cast<size_t>(placement.grids));
    for (NodeId id = 0; id < graph.nodes().size(); ++id) {
      const auto found = ranges.find(id);
      if (found == ranges.end()) continue;
      all.at(static_cast<size_t>(placement.grid[id])).include(found->second);
    }
    return all;
  }

  // Keeps what fit_layers() finds where it is better.
  void fit(Quantization& result, std::vector<Stage>& stages) const {
    if (!options_.correct_bias && !options_.round_adaptively) return;
    auto fitted = fit_layers(lower_head(result.reference, result.head_shift),
                             {result.graph, result.renamed}, pictures_,
                             {.correct_bias = options_.correct_bias,
                              .round_adaptively = options_.round_adaptively,
                              .positions = options_.positions,
                              .bias = result.bias});
    const double before = stages.back().error.relative;
    const char* name = options_.round_adaptively ? "adaptive rounding" : "bias corrected";
    stages.push_back({name, error_of(fitted.graph)});
    if (!is_better(stages.back().error.relative, before)) return;
    result.graph = std::move(fitted.graph);
    result.layers = std::move(fitted.layers);
  }

  const Graph& original_;
  const Contract& contract_;
  const Pictures& pictures_;
  const QuantizeOptions& options_;
  int threads_ = 1;
  Pictures judged_;
  std::vector<DensePrediction> expected_;  // of judged_, in float
};

}  // namespace

Graph lower_head(const Graph& reference, double shift) {
  Graph lowered = reference;
  if (shift == 0) return lowered;
  const NodeId head = graph::integer_head(reference).at(0);
  auto conv = std::get<graph::Conv>(reference.node(head).operation);
  conv.bias = conv.bias - shift;
  lowered.replace(head, std::move(conv));
  return lowered;
}

const Target& QuantizeOptions::chosen_target() const {
  return target ? *target : target_of(profile);
}

WeightGranularity QuantizeOptions::granularity() const {
  return weights.value_or(chosen_target().granularities.front());
}

Quantization quantize_graph(const Graph& graph, const Contract& contract, const Pictures& pictures,
                            const QuantizeOptions& options) {
  const torch::NoGradGuard no_grad;
  return Quantizer(graph, contract, pictures, options).run();
}

}  // namespace dualdepth::quantize
