#include "dualdepth/graph/centring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/functional/fold.h>

#include "dualdepth/base/error.h"
#include "dualdepth/export/frozen_trace.h"
#include "dualdepth/export/graph_from_trace.h"
#include "testing/narrow_model.h"
#include "testing/random_checkpoint.h"

namespace dualdepth::graph {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr size_t kPictures = 3;

torch::Tensor picture(size_t index) {
  torch::manual_seed(index);
  return torch::rand({1, 3, 32, 64});
}

class CentredHead : public ::testing::Test {
 protected:
  CentredHead()
      : net_(testing::random_net(testing::narrow_model())),
        graph_(graph_from_trace(trace_network(net_, {ModelOutputs::kLogits}), {1, 3, 32, 64})),
        centring_(fit_centring(graph_, {kPictures, picture})) {}

  static const Conv& head_of(const Graph& graph, NodeId logits) {
    return std::get<Conv>(graph.node(logits).operation);
  }

  // Winning logits [P] and the patches [P, 9 C] under them, over all pictures, by LibTorch's
  // unfold.
  std::pair<torch::Tensor, torch::Tensor> winners() {
    const torch::NoGradGuard no_grad;
    const Conv& head = head_of(graph_, graph_.output("logits"));
    std::vector<torch::Tensor> best, patches;
    for (size_t i = 0; i < kPictures; ++i) {
      const auto feature = net_->features(picture(i)).at(0);
      const auto columns = torch::nn::functional::unfold(
          feature, torch::nn::functional::UnfoldFuncOptions({3, 3}).padding(1));
      patches.push_back(columns[0].t());
      best.push_back(torch::conv2d(feature, head.weight, head.bias, 1, 1).amax(1).flatten());
    }
    return {torch::cat(best), torch::cat(patches)};
  }

  DepthNet net_;
  Graph graph_;
  Centring centring_;
};

TEST_F(CentredHead, TakesTheLeastSquaresFitOfTheWinningLogit) {
  const auto [best, patches] = winners();
  const auto rows = torch::cat({patches, torch::ones({patches.size(0), 1})}, 1);
  const auto solution = std::get<0>(torch::linalg_lstsq(
      rows.to(torch::kFloat64), best.to(torch::kFloat64).unsqueeze(1), {}, "gelsd"));
  const auto residual = best - rows.matmul(solution.to(torch::kFloat32)).squeeze(1);
  EXPECT_EQ(centring_.pixels, static_cast<int64_t>(kPictures) * 32 * 64);
  EXPECT_NEAR(centring_.spread_before, best.std(/*unbiased=*/false).item<double>(), 1e-3);
  EXPECT_NEAR(centring_.spread_after, residual.std(/*unbiased=*/false).item<double>(), 1e-3);
  EXPECT_LT(centring_.spread_after, centring_.spread_before);
}

TEST_F(CentredHead, KeepsEachPixelsLevelAndPutsTheSmallestWinnerAboveZero) {
  const torch::NoGradGuard no_grad;
  const Graph centred = center_logits(graph_, centring_);
  const NodeId logits = centred.output("logits");
  ASSERT_TRUE(std::holds_alternative<Relu>(centred.node(logits).operation));
  const Conv& before = head_of(graph_, graph_.output("logits"));
  const Conv& after = head_of(centred, centred.node(logits).inputs[0]);
  double smallest = 1e9;
  for (size_t i = 0; i < kPictures; ++i) {
    const auto feature = net_->features(picture(i)).at(0);
    const auto old_logits = torch::conv2d(feature, before.weight, before.bias, 1, 1);
    const auto new_logits = torch::conv2d(feature, after.weight, after.bias, 1, 1).relu();
    const auto [top, unused] = old_logits.topk(2, 1);
    const auto clear = (top.select(1, 0) - top.select(1, 1)) > 1e-4;
    EXPECT_TRUE(
        new_logits.argmax(1).masked_select(clear).equal(old_logits.argmax(1).masked_select(clear)));
    smallest = std::min(smallest, new_logits.amax(1).min().item<double>());
  }
  EXPECT_NEAR(smallest, kCentringRoom * centring_.spread_after, 1e-3);
  EXPECT_NEAR(centring_.smallest, kCentringRoom * centring_.spread_after, 1e-9);
}

TEST_F(CentredHead, NeedsPictures) {
  EXPECT_THAT([&] { fit_centring(graph_, {}); },
              ThrowsMessage<Error>(HasSubstr("calibration pictures")));
}

TEST(Centring, NeedsLevels) {
  ModelOptions options = testing::narrow_model();
  options.params.use_dual_head = false;
  DepthNet net = testing::random_net(options);
  const Graph graph = graph_from_trace(trace_network(net, {ModelOutputs::kLogits}), {1, 3, 32, 64});
  EXPECT_THAT(
      [&] {
        fit_centring(graph, {kPictures, picture});
      },
      ThrowsMessage<Error>(HasSubstr("more than one level")));
}

}  // namespace
}  // namespace dualdepth::graph
