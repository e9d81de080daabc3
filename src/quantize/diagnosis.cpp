#include "dualdepth/quantize/diagnosis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <span>

#include "dualdepth/base/progress.h"
#include "dualdepth/graph/filters.h"
#include "dualdepth/graph/patterns.h"
#include "dualdepth/graph/run_graph.h"
#include "dualdepth/quantize/choose_range.h"

namespace dualdepth::quantize {
namespace {

using graph::FakeQuantize;
using graph::Graph;
using graph::NodeId;

constexpr double kOutlier = 20;      // greatest filter against the median one, per tensor
constexpr double kSaturated = 0.01;  // share of values outside the range
constexpr double kDead = 0.25;       // share of the codes that values use

// A part of the network: nodes of the quantized graph that are in 8 bits together.
struct Part {
  NodeId reference = 0;                    // the value that is compared, in the float graph
  std::optional<NodeId> convolution = {};  // in the float graph
  std::set<NodeId> nodes;
};

// Power of a value and of what quantization adds, summed over pictures.
struct Noise {
  double signal = 0, noise = 0;

  void add(const torch::Tensor& value, const torch::Tensor& reference) {
    signal += reference.to(torch::kFloat64).square().sum().item<double>();
    noise += (value - reference).to(torch::kFloat64).square().sum().item<double>();
  }
  double decibel() const {
    constexpr double kNothing = 1e-30;
    return 10 * std::log10((signal + kNothing) / (noise + kNothing));
  }
};

// What a value takes in float, over all pictures, and how much of it its codes cannot hold.
struct Use {
  ValueRange seen, codes;
  double outside = 0, count = 0;

  void add(const torch::Tensor& value) {
    seen.include(range_of(value));
    outside += value.gt(codes.high).sum().item<double>() + value.lt(codes.low).sum().item<double>();
    count += static_cast<double>(value.numel());
  }
};

// Predictions of some pictures, and the noise of parts by their nodes in the float graph.
struct Measured {
  std::vector<DensePrediction> predictions;
  std::map<NodeId, Noise> noise;
};

class Diagnosis {
 public:
  Diagnosis(const Quantization& quantization, const Contract& contract, const Pictures& pictures,
            const ErrorOf& error)
      : quantized_(quantization.graph),
        reference_(quantization.reference),
        lowered_(lower_head(quantization.reference, quantization.plan.head.shift)),
        renamed_(quantization.renamed),
        contract_(contract),
        pictures_(pictures),
        error_(error) {
    for (NodeId id = 0; id < renamed_.size(); ++id) reference_of_[renamed_[id]] = id;
    find_parts();
  }

  std::vector<LayerNoise> run() {
    const auto names = graph::node_names(reference_);
    ProgressLine progress("diagnosing", parts_.size());
    std::vector<LayerNoise> all;
    const auto wanted = predict_all(depth_of(reference_, contract_), pictures_);
    measure_use();
    const auto whole = measure(quantized_, renamed_, parts_);
    for (const Part& part : parts_) {
      const GriddedGraph isolated = isolate(part.nodes);
      const Measured alone = measure(isolated.graph, isolated.renamed, {&part, 1});
      LayerNoise layer{.name = names.at(part.reference),
                       .convolution = part.convolution ? names.at(*part.convolution) : "",
                       .place = all.size(),
                       .alone = depth_error(alone.predictions, wanted),
                       .error_alone = error_ ? error_(isolated.graph) : 0,
                       .snr_alone = alone.noise.at(part.reference).decibel(),
                       .snr = whole.noise.at(part.reference).decibel(),
                       .advice = advice_for(part)};
      all.push_back(std::move(layer));
      progress.update(all.size());
    }
    std::ranges::stable_sort(all, [](const LayerNoise& a, const LayerNoise& b) {
      return a.alone.relative > b.alone.relative;
    });
    return all;
  }

 private:
  const FakeQuantize* grid_at(NodeId id) const {
    return std::get_if<FakeQuantize>(&quantized_.node(id).operation);
  }

  void find_parts() {
    std::set<NodeId> taken;
    const graph::Consumers consumers(quantized_);
    for (NodeId id = 0; id < quantized_.nodes().size(); ++id) {
      const auto filters = graph::filters_of(quantized_.node(id).operation);
      if (filters && filters->weight_scale.defined()) {
        parts_.push_back(with_convolution(id, consumers));
        taken.merge(std::set(parts_.back().nodes));
      } else if (grid_at(id) != nullptr && !taken.contains(id) && carries_information(id)) {
        parts_.push_back(
            {.reference = reference_of_.at(quantized_.node(id).inputs[0]), .nodes = {id}});
      }
    }
  }

  // A convolution, the Relu behind that alone reads it, and the grid behind both.
  Part with_convolution(NodeId id, const graph::Consumers& consumers) const {
    const NodeId value = graph::relu_behind(quantized_, consumers, id).value_or(id);
    return {.reference = reference_of_.at(value),
            .convolution = reference_of_.at(id),
            .nodes = {id, behind_grid(quantized_, consumers, value)}};
  }

  // Grids behind MaxPool and Upsample repeat those before.
  bool carries_information(NodeId grid) const {
    const auto& operation = quantized_.node(quantized_.node(grid).inputs[0]).operation;
    return !std::holds_alternative<graph::MaxPool>(operation) &&
           !std::holds_alternative<graph::Upsample>(operation);
  }

  // The network with only these nodes in 8 bits.
  GriddedGraph isolate(const std::set<NodeId>& kept) const {
    std::set<NodeId> dropped;
    for (NodeId id = 0; id < quantized_.nodes().size(); ++id) {
      if (grid_at(id) != nullptr && !kept.contains(id)) dropped.insert(id);
    }
    GriddedGraph result = without_grids(quantized_, dropped);
    std::vector<NodeId> renamed;
    for (NodeId id = 0; id < renamed_.size(); ++id) {
      const NodeId quantized = renamed_[id];
      renamed.push_back(result.renamed[quantized]);
      const auto& operation = reference_.node(id).operation;
      if (graph::filters_of(operation) && !kept.contains(quantized)) {
        result.graph.replace(renamed.back(), operation);
      }
    }
    result.renamed = std::move(renamed);
    return result;
  }

  // The value of a node behind its grid, if it has one.
  static NodeId behind_grid(const Graph& graph, const graph::Consumers& consumers, NodeId id) {
    for (const NodeId consumer : consumers.of(id)) {
      if (std::holds_alternative<FakeQuantize>(graph.node(consumer).operation)) return consumer;
    }
    return id;
  }

  Measured measure(const Graph& graph, const std::vector<NodeId>& renamed,
                   std::span<const Part> parts) const {
    const graph::Consumers consumers(graph);
    std::map<NodeId, NodeId> watched;  // node of `graph` -> of reference
    std::set<NodeId> references;
    for (const Part& part : parts) {
      watched[behind_grid(graph, consumers, renamed.at(part.reference))] = part.reference;
      references.insert(part.reference);
    }
    Measured measured;
    for (size_t picture = 0; picture < pictures_.count; ++picture) {
      const auto image = pictures_.at(picture);
      std::map<NodeId, std::vector<torch::Tensor>> wanted;  // stripes
      graph::run_graph(lowered_, image, graph::output_nodes(lowered_),
                       [&](NodeId id, const torch::Tensor& value) {
                         if (references.contains(id)) wanted[id].push_back(value);
                       });
      std::map<NodeId, size_t> stripe;
      const auto compare = [&](NodeId id, const torch::Tensor& value) {
        const auto found = watched.find(id);
        if (found == watched.end()) return;
        measured.noise[found->second].add(value, wanted.at(found->second).at(stripe[id]++));
      };
      measured.predictions.push_back(depth_of(graph, contract_, compare)(image));
    }
    return measured;
  }

  std::string advice_for(const Part& part) const {
    for (const NodeId id : part.nodes) {
      const auto filters = graph::filters_of(quantized_.node(id).operation);
      if (!filters || filters->weight_scale.numel() != 1) continue;
      const auto size = graph::filters_in(reference_.node(reference_of_.at(id)).operation)
                            .weight.abs()
                            .amax({1, 2, 3});
      const double ratio =
          size.max().item<double>() / size.median().clamp_min(1e-12).item<double>();
      if (size.size(0) > 1 && ratio > kOutlier) {
        return fmt::format(
            "outlier filters: the greatest is {:.0f} times the median; use per-channel weights",
            ratio);
      }
    }
    return advice_for_values(part);
  }

  const FakeQuantize* grid_of_part(const Part& part) const {
    for (const NodeId id : part.nodes) {
      if (const FakeQuantize* grid = grid_at(id)) return grid;
    }
    return nullptr;
  }

  void measure_use() {
    for (const Part& part : parts_) {
      if (const FakeQuantize* grid = grid_of_part(part)) {
        uses_[part.reference].codes = range_of(*grid);
      }
    }
    for (size_t picture = 0; picture < pictures_.count; ++picture) {
      graph::run_graph(lowered_, pictures_.at(picture), graph::output_nodes(lowered_),
                       [&](NodeId id, const torch::Tensor& value) {
                         const auto use = uses_.find(id);
                         if (use != uses_.end()) use->second.add(value);
                       });
    }
  }

  // What all values take that share the scale, such as those that a Concat puts together.
  ValueRange seen_with(const FakeQuantize& grid) const {
    ValueRange seen;
    for (const Part& part : parts_) {
      const FakeQuantize* other = grid_of_part(part);
      if (other != nullptr && *other == grid) seen.include(uses_.at(part.reference).seen);
    }
    return seen;
  }

  std::string advice_for_values(const Part& part) const {
    const FakeQuantize* grid = grid_of_part(part);
    if (grid == nullptr) return "";
    const Use& use = uses_.at(part.reference);
    const bool is_head = std::ranges::count(graph::integer_head(reference_), part.reference) > 0;
    if (!is_head && use.count > 0 && use.outside / use.count > kSaturated) {
      return fmt::format(
          "saturation: {:.1f} % of the values lie outside the range; try --ranges minmax",
          100 * use.outside / use.count);
    }
    const double used = seen_with(*grid).width() / use.codes.width();
    if (used < kDead) {
      return fmt::format("dead range: values use {:.0f} % of the codes; try --ranges percentile",
                         100 * used);
    }
    return "";
  }

  const Graph& quantized_;
  const Graph& reference_;
  Graph lowered_;  // whose values those of quantized_ round
  const std::vector<NodeId>& renamed_;
  const Contract& contract_;
  const Pictures& pictures_;
  const ErrorOf& error_;
  std::map<NodeId, NodeId> reference_of_;
  std::vector<Part> parts_;
  std::map<NodeId, Use> uses_;  // by the value's node in the float graph
};

}  // namespace

void sort_by_error(std::vector<LayerNoise>& layers, Better better) {
  std::ranges::stable_sort(layers, [better](const LayerNoise& a, const LayerNoise& b) {
    return better == Better::kLower ? a.error_alone > b.error_alone : a.error_alone < b.error_alone;
  });
}

std::vector<LayerNoise> diagnose(const Quantization& quantization, const Contract& contract,
                                 const Pictures& pictures, const ErrorOf& error) {
  const torch::NoGradGuard no_grad;
  return Diagnosis(quantization, contract, pictures, error).run();
}

}  // namespace dualdepth::quantize
