#include "dualdepth/model/upsampled_filters.h"

#include <gtest/gtest.h>
#include <torch/nn/functional/conv.h>
#include <torch/nn/functional/upsampling.h>
#include <torch/utils.h>

namespace dualdepth {
namespace {

namespace F = torch::nn::functional;

// Rows 1, 10, 100 and columns 1, 2, 3 of one filter, summed by hand as (w2, w1 + w2, w0 + w1, w0).
TEST(UpsampledFilters, AddUpWhatLiesOnOnePixel) {
  const auto weight = torch::tensor({1.0, 2.0, 3.0, 10.0, 20.0, 30.0, 100.0, 200.0, 300.0});
  const auto expected = torch::tensor({300.0, 500.0, 300.0, 100.0,  //
                                       330.0, 550.0, 330.0, 110.0,  //
                                       33.0, 55.0, 33.0, 11.0,      //
                                       3.0, 5.0, 3.0, 1.0});
  EXPECT_TRUE(upsampled_filters(weight.view({1, 1, 3, 3})).equal(expected.view({1, 1, 4, 4})));
}

TEST(UpsampledFilters, EqualTheConvolutionBehindTheUpsamplingAtBordersToo) {
  torch::manual_seed(2);
  const auto map = torch::randn({2, 5, 3, 4}, torch::kFloat64);
  const auto weight = torch::randn({7, 5, 3, 3}, torch::kFloat64);
  const auto bias = torch::randn({7}, torch::kFloat64);
  const auto doubled = F::interpolate(
      map,
      F::InterpolateFuncOptions().scale_factor(std::vector<double>{2, 2}).mode(torch::kNearest));
  const auto expected = torch::conv2d(doubled, weight, bias, /*stride=*/1, /*padding=*/1);
  const auto got = torch::conv_transpose2d(map, upsampled_filters(weight), bias, /*stride=*/2,
                                           /*padding=*/1);
  ASSERT_EQ(got.sizes(), torch::IntArrayRef({2, 7, 6, 8}));
  EXPECT_LT((got - expected).abs().max().item<double>(), 1e-12);
}

}  // namespace
}  // namespace dualdepth
