#include "dualdepth/model/patch_gather.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/utils.h>

#include <utility>

namespace dualdepth {
namespace {

// float32 goes by loops, float64 by the tensor operations that other devices use.
class GatherPatches : public ::testing::TestWithParam<torch::ScalarType> {};

TEST_P(GatherPatches, EqualsUnfoldAtThePixelsAndInTheGradient) {
  torch::manual_seed(1);
  constexpr int64_t kHeight = 5;
  constexpr int64_t kWidth = 7;
  constexpr int64_t kChannels = 3;
  auto feature = torch::randn({2, kChannels, kHeight, kWidth}, GetParam()).requires_grad_();
  // Corners and edges of both pictures, inner pixels, one of them twice.
  const auto pixels = torch::tensor({0, 6, 9, 9, 17, 28, 34, 35, 41, 50, 63, 69}, torch::kInt64);
  const auto patches = gather_patches(feature, pixels);

  // unfold: [N, C * 9, H * W], channels before places.
  const auto columns = torch::im2col(feature, {3, 3}, {1, 1}, {1, 1}, {1, 1})
                           .view({2, kChannels, 9, kHeight * kWidth})
                           .permute({0, 3, 2, 1})
                           .reshape({2 * kHeight * kWidth, 9 * kChannels});
  const auto expected = columns.index_select(0, pixels);
  EXPECT_TRUE(patches.equal(expected));

  const auto weights = torch::randn_like(patches);
  const auto gradient = torch::autograd::grad({(patches * weights).sum()}, {feature}).front();
  const auto expected_gradient =
      torch::autograd::grad({(expected * weights).sum()}, {feature}).front();
  EXPECT_LT((gradient - expected_gradient).abs().max().item<double>(), 1e-5);
}

INSTANTIATE_TEST_SUITE_P(BothWays, GatherPatches,
                         ::testing::Values(torch::kFloat32, torch::kFloat64));

// Many pixels of one row after another, so that neighbourhoods overlap where threads would meet.
TEST(GatherPatchesOnThreads, HasTheSameBitsWithAnyNumberOfThreads) {
  torch::manual_seed(2);
  const auto feature = torch::randn({2, 16, 40, 64}).contiguous(torch::MemoryFormat::ChannelsLast);
  const auto pixels = (torch::rand({2 * 40 * 64}) < 0.7).nonzero().view({-1});
  const auto weights = torch::randn({pixels.numel(), 9 * 16});
  const auto run = [&](int threads) {
    const int before = at::get_num_threads();
    at::set_num_threads(threads);
    const auto leaf = feature.clone().requires_grad_();
    const auto patches = gather_patches(leaf, pixels);
    const auto gradient = torch::autograd::grad({(patches * weights).sum()}, {leaf}).front();
    at::set_num_threads(before);
    return std::pair{patches.detach(), gradient};
  };
  const auto [patches, gradient] = run(1);
  for (const int threads : {2, 3, 8}) {
    const auto [other_patches, other_gradient] = run(threads);
    EXPECT_TRUE(torch::equal(patches, other_patches)) << threads;
    EXPECT_TRUE(torch::equal(gradient, other_gradient)) << threads;
  }
}

}  // namespace
}  // namespace dualdepth
