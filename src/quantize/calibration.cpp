#include "dualdepth/quantize/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <vector>

#include "dualdepth/base/error.h"
#include "dualdepth/base/parallel.h"
#include "dualdepth/graph/patterns.h"
#include "dualdepth/graph/run_graph.h"
#include "dualdepth/runtime/device.h"

namespace dualdepth::quantize {
namespace {

using graph::Graph;
using graph::NodeId;

// Calls use(id, value) for each value that is observed, of all pictures.
class Observation {
 public:
  Observation(const Graph& graph, const Placement& placement, const Pictures& pictures, int threads)
      : graph_(graph), pictures_(pictures), threads_(threads) {
    for (NodeId id = 0; id < graph.nodes().size(); ++id) {
      const auto& operation = graph.node(id).operation;
      const bool is_copy = std::holds_alternative<graph::MaxPool>(operation) ||
                           std::holds_alternative<graph::Upsample>(operation);
      if (placement.has_grid(id) && !is_copy) ids_.push_back(id);
    }
    logits_ = graph::logits_of(graph);
  }

  const std::vector<NodeId>& ids() const { return ids_; }
  std::optional<NodeId> logits() const { return logits_; }

  template <class State, class Use>
  void run(State& merged, const State& empty, Use use) const {
    const OneThread each;  // computes its picture itself
    std::mutex mutex;
    const std::vector<NodeId> wanted = graph::output_nodes(graph_);
    parallel_for(pictures_.count, threads_, [&](size_t index) {
      State state = empty;
      graph::run_graph(graph_, pictures_.at(index), wanted,
                       [&](NodeId id, const torch::Tensor& value) {
                         if (logits_ && id == *logits_) {
                           use(state, id, value.amax(1));
                         } else if (std::ranges::binary_search(ids_, id)) {
                           use(state, id, value);
                         }
                       });
      const std::lock_guard lock(mutex);
      merged.merge(state);
    });
  }

 private:
  const Graph& graph_;
  const Pictures& pictures_;
  int threads_;
  std::vector<NodeId> ids_;
  std::optional<NodeId> logits_;
};

struct Counts {
  std::map<NodeId, Histogram> histograms;
  void merge(const Counts& other) {
    for (const auto& [id, histogram] : other.histograms) histograms[id].merge(histogram);
  }
};

void expect_variation(const Pictures& pictures) {
  for (size_t index = 0; index < pictures.count; ++index) {
    const auto picture = pictures.at(index);
    if ((picture - picture.flatten()[0]).abs().max().item<float>() > 0) return;
  }
  throw Error({.subject = "calibration pictures",
               .expected = "pictures that show something",
               .got = fmt::format("{} without any variation", pictures.count),
               .fix = "name pictures like those that the model will see"});
}

}  // namespace

void expect_pictures(const Pictures& pictures) {
  if (pictures.count == 0) {
    throw Error({.subject = "calibration",
                 .expected = "pictures",
                 .got = "none",
                 .fix = "name a folder of pictures or a data configuration"});
  }
  expect_variation(pictures);
}

Calibration calibrate(const Graph& graph, const Placement& placement, const Pictures& pictures,
                      int threads) {
  expect_pictures(pictures);
  const Observation observation(graph, placement, pictures, threads);
  Counts counts;
  observation.run(counts, Counts(), [](Counts& state, NodeId id, const torch::Tensor& value) {
    state.histograms[id].add(value);
  });
  const auto names = graph::node_names(graph);
  for (const auto& [id, histogram] : counts.histograms) {
    if (histogram.range().is_finite()) continue;
    throw Error({.subject = names.at(id),
                 .expected = "finite values on the calibration pictures",
                 .got = "NaN or infinity",
                 .fix = ""});
  }
  Calibration calibration;
  for (auto& [id, histogram] : counts.histograms) {
    if (observation.logits() == id) calibration.winners = histogram;
    if (placement.has_grid(id)) calibration.values.emplace(id, histogram);
  }
  return calibration;
}

ValueRange winner_range(const Histogram& winners, RangeMethod method, WinnerRange extent) {
  const bool wide = extent == WinnerRange::kWide;
  const double spread = winners.deviation();
  const double low = std::min(
      winners.quantile(wide ? 0.001 : 0.005) - (wide ? kWideBottom : kNarrowBottom) * spread,
      winners.least() - kLeastBottom * spread);
  const double high = method == RangeMethod::kMinMax
                          ? winners.range().high
                          : winners.quantile(wide ? 0.999 : 0.99) + kWinnerTop * spread;
  return {low, std::min(high, winners.range().high)};
}

}  // namespace dualdepth::quantize
