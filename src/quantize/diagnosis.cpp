#include "dualdepth/quantize/diagnosis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "dualdepth/base/progress.h"
#include "dualdepth/deploy/run_graph.h"
#include "dualdepth/quantize/choose_range.h"

namespace dualdepth::quantize {
namespace {

using deploy::Conv;
using deploy::FakeQuantize;
using deploy::Graph;
using deploy::NodeId;

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
    const auto names = deploy::node_names(reference_);
    ProgressLine progress("diagnosing", parts_.size());
    std::vector<LayerNoise> all;
    const auto whole = noise_of(quantized_, renamed_);
    const auto wanted = predict_all(depth_of(reference_, card_), pictures_);
    for (const Part& part : parts_) {
      const GriddedGraph isolated = isolate(part.nodes);
      LayerNoise layer{
          .name = names.at(part.reference),
          .convolution = part.convolution ? names.at(*part.convolution) : "",
          .place = all.size(),
          .alone = depth_error(predict_all(depth_of(isolated.graph, card_), pictures_), wanted),
          .error_alone = error_ ? error_(isolated.graph) : 0,
          .advice = advice_for(part)};
      layer.snr_alone = noise_of(isolated.graph, isolated.renamed).at(part.reference).decibel();
      layer.snr = whole.at(part.reference).decibel();
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

  // The grid behind a node, if there is one.
  NodeId grid_behind(NodeId id) const {
    for (NodeId reader = id + 1; reader < quantized_.nodes().size(); ++reader) {
      if (grid_at(reader) != nullptr && quantized_.node(reader).inputs[0] == id) return reader;
    }
    return quantized_.nodes().size();
  }

  void find_parts() {
    const auto readers = quantized_.readers();
    std::set<NodeId> taken;
    for (NodeId id = 0; id < quantized_.nodes().size(); ++id) {
      const auto* conv = std::get_if<Conv>(&quantized_.node(id).operation);
      const bool weights = conv != nullptr && conv->weight_scale.defined();
      if (!weights && (grid_at(id) == nullptr || taken.contains(id))) continue;
      if (!weights && !carries_information(id)) continue;
      Part part;
      NodeId value = weights ? id : quantized_.node(id).inputs[0];
      part.nodes.insert(id);
      if (weights) {
        part.convolution = reference_of_.at(id);
        NodeId end = id;
        const NodeId next = id + 1;
        const bool relu = next < quantized_.nodes().size() && readers[id] == 1 &&
                          std::holds_alternative<deploy::Relu>(quantized_.node(next).operation) &&
                          quantized_.node(next).inputs[0] == id;
        if (relu) end = value = next;
        if (const NodeId grid = grid_behind(end); grid < quantized_.nodes().size()) {
          part.nodes.insert(grid);
          taken.insert(grid);
        }
      }
      part.reference = reference_of_.at(value);
      parts_.push_back(std::move(part));
    }
  }

  // Grids behind MaxPool and Upsample repeat those before.
  bool carries_information(NodeId grid) const {
    const auto& operation = quantized_.node(quantized_.node(grid).inputs[0]).operation;
    return !std::holds_alternative<deploy::MaxPool>(operation) &&
           !std::holds_alternative<deploy::Upsample>(operation);
  }

  // The network with only these nodes in 8 bits.
  GriddedGraph isolate(const std::set<NodeId>& kept) const {
    GriddedGraph result;
    std::vector<NodeId> moved(quantized_.nodes().size());
    for (NodeId id = 0; id < quantized_.nodes().size(); ++id) {
      const auto& node = quantized_.node(id);
      if (grid_at(id) != nullptr && !kept.contains(id)) {
        moved[id] = moved[node.inputs[0]];
        continue;
      }
      deploy::Node copy = node;
      const bool in_float = std::holds_alternative<Conv>(node.operation) && !kept.contains(id);
      if (in_float) copy.operation = reference_.node(reference_of_.at(id)).operation;
      moved[id] = deploy::add_copy(result.graph, copy, moved);
    }
    result.graph.set_outputs(deploy::renamed_outputs(quantized_, moved));
    for (const NodeId id : renamed_) result.renamed.push_back(moved[id]);
    return result;
  }

  // Of each part's value behind its grid, by its node in the float graph.
  std::map<NodeId, Noise> noise_of(const Graph& graph, const std::vector<NodeId>& renamed) const {
    std::map<NodeId, NodeId> watched;  // node of `graph` -> of reference
    for (const Part& part : parts_) {
      NodeId id = renamed.at(part.reference);
      for (NodeId reader = id + 1; reader < graph.nodes().size(); ++reader) {
        const bool grid = std::holds_alternative<FakeQuantize>(graph.node(reader).operation) &&
                          graph.node(reader).inputs[0] == id;
        if (grid) id = reader;
      }
      watched[id] = part.reference;
    }
    std::map<NodeId, Noise> noise;
    for (size_t picture = 0; picture < pictures_.count; ++picture) {
      const auto image = pictures_.at(picture);
      std::map<NodeId, std::vector<torch::Tensor>> wanted;
      deploy::run_graph(reference_, image, deploy::output_nodes(reference_),
                        [&](NodeId id, const torch::Tensor& value) {
                          if (is_watched(id)) wanted[id].push_back(value);
                        });
      std::map<NodeId, size_t> stripe;
      deploy::run_graph(
          graph, image, deploy::output_nodes(graph), [&](NodeId id, const torch::Tensor& value) {
            const auto found = watched.find(id);
            if (found == watched.end()) return;
            noise[found->second].add(value, wanted.at(found->second).at(stripe[id]++));
          });
    }
    return noise;
  }

  bool is_watched(NodeId reference) const {
    return std::ranges::any_of(parts_,
                               [&](const Part& part) { return part.reference == reference; });
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
    deploy::run_graph(reference_, pictures_.at(0), deploy::output_nodes(reference_),
                      [&](NodeId id, const torch::Tensor& value) {
                        if (id != part.reference) return;
                        low = std::min(low, value.min().item<double>());
                        high = std::max(high, value.max().item<double>());
                        outside += value.gt(range.high).sum().item<double>();
                        outside += value.lt(range.low).sum().item<double>();
                        count += static_cast<double>(value.numel());
                      });
    const bool is_head = std::ranges::count(deploy::integer_head(reference_), part.reference) > 0;
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
