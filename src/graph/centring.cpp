#include "dualdepth/graph/centring.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "dualdepth/base/error.h"
#include "dualdepth/graph/patterns.h"
#include "dualdepth/graph/run_graph.h"
#include "dualdepth/model/patch_gather.h"

namespace dualdepth::graph {
namespace {

constexpr int64_t kStripePixels = 8192;

NodeId find_head(const Graph& graph) {
  const auto chain = integer_head(graph);
  const auto* conv =
      chain.empty() ? nullptr : std::get_if<Conv>(&graph.node(chain.front()).operation);
  const bool fits = conv != nullptr && conv->groups == 1 && conv->weight.size(0) > 1 &&
                    conv->weight.size(2) == 3 && conv->weight.size(3) == 3;
  if (!fits) {
    throw Error({.subject = "centring",
                 .expected = "an integer head of 3x3 filters with more than one level",
                 .got = "another head",
                 .fix = "leave centring out"});
  }
  return chain.front();
}

// [9 C, K] in the order of gather_patches.
torch::Tensor as_columns(const torch::Tensor& weight) {
  return weight.permute({0, 2, 3, 1}).flatten(1).t().contiguous();
}

// The maps that the head reads on some pictures. The first kKept are computed once and kept, since
// they are asked for twice.
class HeadInputs {
 public:
  HeadInputs(const Graph& graph, NodeId head, const Pictures& pictures)
      : graph_(graph), node_(graph.node(head).inputs[0]), pictures_(pictures) {}

  size_t count() const { return pictures_.count; }

  torch::Tensor at(size_t index) {
    if (index < kept_.size()) return kept_[index];
    auto map = run_graph(graph_, pictures_.at(index), std::array{node_})[0];
    if (index == kept_.size() && index < kKept) kept_.push_back(map);
    return map;
  }

 private:
  static constexpr size_t kKept = 32;  // 250 MB at 192x640

  const Graph& graph_;
  NodeId node_;
  const Pictures& pictures_;
  std::vector<torch::Tensor> kept_;
};

// Calls `use` with the patches [P, 9 C] of all pixels of a map, in order.
template <class Use>
void for_each_stripe(const torch::Tensor& feature, Use use) {
  const int64_t pixels = feature.size(0) * feature.size(2) * feature.size(3);
  for (int64_t begin = 0; begin < pixels; begin += kStripePixels) {
    use(gather_patches(feature, torch::arange(begin, std::min(begin + kStripePixels, pixels))));
  }
}

torch::Tensor with_one(const torch::Tensor& patches) {
  return torch::cat({patches, torch::ones({patches.size(0), 1})}, 1).to(torch::kFloat64);
}

struct Moments {
  int64_t count = 0;
  double sum = 0, squares = 0;
  double least = std::numeric_limits<double>::infinity();
  double greatest = -std::numeric_limits<double>::infinity();

  void add(const torch::Tensor& values) {
    const auto exact = values.to(torch::kFloat64);
    count += exact.numel();
    sum += exact.sum().item<double>();
    squares += exact.square().sum().item<double>();
    least = std::min(least, exact.min().item<double>());
    greatest = std::max(greatest, exact.max().item<double>());
  }

  double deviation() const {
    const double mean = sum / static_cast<double>(count);
    return std::sqrt(std::max(0.0, squares / static_cast<double>(count) - mean * mean));
  }
};

}  // namespace

Centring fit_centring(const Graph& graph, const Pictures& pictures) {
  const torch::NoGradGuard no_grad;
  const NodeId head_id = find_head(graph);
  const auto& head = std::get<Conv>(graph.node(head_id).operation);
  if (pictures.count == 0) {
    throw Error(
        {.subject = "centring", .expected = "calibration pictures", .got = "none", .fix = ""});
  }
  const int64_t unknowns = head.weight[0].numel() + 1;
  auto normal = torch::zeros({unknowns, unknowns}, torch::kFloat64);
  auto right = torch::zeros({unknowns}, torch::kFloat64);
  const int64_t channels = head.weight.size(1);
  const auto columns = as_columns(head.weight);
  auto peaks = torch::zeros({channels});
  Moments before;
  HeadInputs inputs(graph, head_id, pictures);
  std::vector<torch::Tensor> winners;  // of each picture, in the order of its pixels
  for (size_t index = 0; index < pictures.count; ++index) {
    const auto feature = inputs.at(index);
    std::vector<torch::Tensor> bests;
    for_each_stripe(feature, [&](const torch::Tensor& patches) {
      bests.push_back(torch::addmm(head.bias, patches, columns).amax(1));
      const auto rows = with_one(patches);
      normal += rows.t().matmul(rows);
      right += rows.t().mv(bests.back().to(torch::kFloat64));
    });
    winners.push_back(torch::cat(bests));
    before.add(winners.back());
    peaks = torch::maximum(peaks, feature.amax({0, 2, 3}));
  }
  // A channel that is always 0 makes the sums singular; this keeps its coefficient at 0.
  normal += torch::eye(unknowns, torch::kFloat64) * (1e-9 * normal.trace().item<double>());
  const auto solution = torch::linalg_solve(normal, right).to(torch::kFloat32);
  const auto slope = solution.slice(0, 0, unknowns - 1).contiguous();
  Centring centring{.filter = slope.view({3, 3, channels}).permute({2, 0, 1}).contiguous(),
                    .offset = solution[unknowns - 1].item<float>(),
                    .feature_peaks = peaks};
  Moments after;
  for (size_t index = 0; index < pictures.count; ++index) {
    const auto centre = torch::conv2d(inputs.at(index), centring.filter.unsqueeze(0), {}, 1, 1);
    after.add(winners[index] - centre.flatten() - centring.offset);
  }
  centring.pixels = after.count;
  centring.spread_before = before.deviation();
  centring.spread_after = after.deviation();
  const double shift = after.least - kCentringRoom * centring.spread_after;
  centring.offset += static_cast<float>(shift);
  centring.smallest = after.least - shift;
  centring.greatest = after.greatest - shift;
  return centring;
}

Graph center_logits(const Graph& graph, const Centring& centring) {
  Graph centred = graph;
  const NodeId logits = find_head(graph);
  Conv head = std::get<Conv>(graph.node(logits).operation);
  head.weight = head.weight - centring.filter;
  head.bias = head.bias - centring.offset;
  centred.replace(logits, std::move(head));
  return insert_behind(centred, logits, Relu{});
}

}  // namespace dualdepth::graph
