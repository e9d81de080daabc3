#include "dualdepth/quantize/diagnosis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <span>

#include "dualdepth/base/progress.h"
#include "dualdepth/graph/patterns.h"
#include "dualdepth/graph/run_graph.h"
#include "dualdepth/quantize/choose_range.h"

namespace dualdepth::quantize {
namespace {

using graph::Conv;
using graph::FakeQuantize;
using graph::Graph;
using graph::NodeId;

constexpr double kOutlier = 20;      // greatest filter against the median one, per tensor
constexpr double kSaturated = 0.01;  // share of values at a grid's ends
constexpr double kDead = 0.25;       // share of the grid that values use

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

// Predictions of some pictures, and the noise of parts by their nodes in the float graph.
struct Measured {
  std::vector<DensePrediction> predictions;
  std::map<NodeId, Noise> noise;
};

class Diagnosis {
 public:
  Diagnosis(const Quantization& quantization, const ModelCard& card, const Pictures& pictures,
            const ErrorOf& error)
      : quantized_(quantization.graph),
        reference_(quantization.reference),
        renamed_(quantization.renamed),
        card_(card),
        pictures_(pictures),
        error_(error) {
    for (NodeId id = 0; id < renamed_.size(); ++id) reference_of_[renamed_[id]] = id;
    find_parts();
  }

  std::vector<LayerNoise> run() {
    const auto names = graph::node_names(reference_);
    ProgressLine progress("diagnosing", parts_.size());
    std::vector<LayerNoise> all;
    const auto wanted = predict_all(depth_of(reference_, card_), pictures_);
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
    for (NodeId id = 0; id < quantized_.nodes().size(); ++id) {
      const auto* conv = std::get_if<Conv>(&quantized_.node(id).operation);
      if (conv != nullptr && conv->weight_scale.defined()) {
        parts_.push_back(with_convolution(id));
        taken.merge(std::set(parts_.back().nodes));
      } else if (grid_at(id) != nullptr && !taken.contains(id) && carries_information(id)) {
        parts_.push_back(
            {.reference = reference_of_.at(quantized_.node(id).inputs[0]), .nodes = {id}});
      }
    }
  }

  // A convolution, the Relu behind that alone reads it, and the grid behind both.
  Part with_convolution(NodeId id) const {
    const NodeId value = graph::relu_behind(quantized_, id).value_or(id);
    return {.reference = reference_of_.at(value),
            .convolution = reference_of_.at(id),
            .nodes = {id, behind_grid(quantized_, value)}};
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
      const auto* conv = std::get_if<Conv>(&reference_.node(id).operation);
      if (conv != nullptr && !kept.contains(quantized)) {
        result.graph.replace(renamed.back(), *conv);
      }
    }
    result.renamed = std::move(renamed);
    return result;
  }

  // The value of a node behind its grid, if it has one.
  static NodeId behind_grid(const Graph& graph, NodeId id) {
    for (NodeId reader = id + 1; reader < graph.nodes().size(); ++reader) {
      const bool grid = std::holds_alternative<FakeQuantize>(graph.node(reader).operation) &&
                        graph.node(reader).inputs[0] == id;
      if (grid) id = reader;
    }
    return id;
  }

  Measured measure(const Graph& graph, const std::vector<NodeId>& renamed,
                   std::span<const Part> parts) const {
    std::map<NodeId, NodeId> watched;  // node of `graph` -> of reference
    std::set<NodeId> references;
    for (const Part& part : parts) {
      watched[behind_grid(graph, renamed.at(part.reference))] = part.reference;
      references.insert(part.reference);
    }
    Measured measured;
    for (size_t picture = 0; picture < pictures_.count; ++picture) {
      const auto image = pictures_.at(picture);
      std::map<NodeId, std::vector<torch::Tensor>> wanted;  // stripes
      graph::run_graph(reference_, image, graph::output_nodes(reference_),
                       [&](NodeId id, const torch::Tensor& value) {
                         if (references.contains(id)) wanted[id].push_back(value);
                       });
      std::map<NodeId, size_t> stripe;
      const auto compare = [&](NodeId id, const torch::Tensor& value) {
        const auto found = watched.find(id);
        if (found == watched.end()) return;
        measured.noise[found->second].add(value, wanted.at(found->second).at(stripe[id]++));
      };
      measured.predictions.push_back(depth_of(graph, card_, compare)(image));
    }
    return measured;
  }

  std::string advice_for(const Part& part) const {
    for (const NodeId id : part.nodes) {
      const auto* conv = std::get_if<Conv>(&quantized_.node(id).operation);
      if (conv == nullptr || conv->weight_scale.numel() != 1) continue;
      const auto size = std::get<Conv>(reference_.node(reference_of_.at(id)).operation)
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

  std::string advice_for_values(const Part& part) const {
    const FakeQuantize* grid = nullptr;
    for (const NodeId id : part.nodes) grid = grid_at(id) != nullptr ? grid_at(id) : grid;
    if (grid == nullptr) return "";
    const auto range = range_of(*grid);
    double low = 0;
    double high = 0;
    double outside = 0;
    double count = 0;
    graph::run_graph(reference_, pictures_.at(0), graph::output_nodes(reference_),
                     [&](NodeId id, const torch::Tensor& value) {
                       if (id != part.reference) return;
                       low = std::min(low, value.min().item<double>());
                       high = std::max(high, value.max().item<double>());
                       outside += value.gt(range.high).sum().item<double>();
                       outside += value.lt(range.low).sum().item<double>();
                       count += static_cast<double>(value.numel());
                     });
    const bool is_head = std::ranges::count(graph::integer_head(reference_), part.reference) > 0;
    if (!is_head && count > 0 && outside / count > kSaturated) {
      return fmt::format(
          "saturation: {:.1f} % of the values lie outside the grid; try --ranges minmax",
          100 * outside / count);
    }
    if (high - low < kDead * range.width()) {
      return fmt::format("dead range: values use {:.0f} % of the grid; try --ranges percentile",
                         100 * (high - low) / range.width());
    }
    return "";
  }

  const Graph& quantized_;
  const Graph& reference_;
  const std::vector<NodeId>& renamed_;
  const ModelCard& card_;
  const Pictures& pictures_;
  const ErrorOf& error_;
  std::map<NodeId, NodeId> reference_of_;
  std::vector<Part> parts_;
};

}  // namespace

std::vector<LayerNoise> diagnose(const Quantization& quantization, const ModelCard& card,
                                 const Pictures& pictures, const ErrorOf& error) {
  const torch::NoGradGuard no_grad;
  return Diagnosis(quantization, card, pictures, error).run();
}

}  // namespace dualdepth::quantize
