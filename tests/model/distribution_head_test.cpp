#include "dualdepth/model/distribution_head.h"

#include <gtest/gtest.h>
#include <torch/nn/functional/conv.h>
#include <torch/utils.h>

#include "testing/instruction_sets.h"

namespace dualdepth {
namespace {

struct Case {
  int64_t batch, channels, height, width, levels;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.batch << "x" << c.channels << "x" << c.height << "x" << c.width << ", " << c.levels;
}

// Held against LibTorch's convolution and softmax in double, whose distributions are narrow in some
// pixels and wide in others.
class Distributions : public ::testing::TestWithParam<Case> {
 protected:
  Distributions() {
    const Case c = GetParam();
    torch::manual_seed(4);
    feature_ = torch::randn({c.batch, c.channels, c.height, c.width});
    filters_ = {torch::randn({c.levels, c.channels, 3, 3}) / 8, torch::randn({c.levels}),
                torch::randn({1, c.channels, 3, 3}), torch::randn({1})};
    shares_ = convolved(filters_.integer_weight, filters_.integer_bias).softmax(1);
  }

  torch::Tensor convolved(const torch::Tensor& weight, const torch::Tensor& bias) const {
    return torch::conv2d(feature_.to(torch::kFloat64), weight.to(torch::kFloat64),
                         bias.to(torch::kFloat64), 1, 1);
  }

  // Calls check(head, feature) for each instruction set and each order of memory.
  template <class Check>
  void with_each(Check check) const {
    testing::with_each_instruction_set([&] {
      for (const auto format :
           {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
        check(DistributionHead(filters_), feature_.contiguous(format));
      }
    });
  }

  torch::Tensor feature_, shares_;
  HeadFilters filters_;
};

TEST_P(Distributions, HaveTheirMeans) {
  const int64_t levels = GetParam().levels;
  const LevelPlaces places{torch::arange(levels).to(torch::kFloat32), torch::randn({levels})};
  const auto mean = [&](const torch::Tensor& weights) {
    return (shares_ * weights.to(torch::kFloat64).view({1, -1, 1, 1})).sum(1);
  };
  const auto fraction = convolved(filters_.fraction_weight, filters_.fraction_bias).squeeze(1);
  with_each([&](const DistributionHead& head, const torch::Tensor& feature) {
    const auto heads = head.mean(feature, places);
    EXPECT_TRUE(torch::allclose(heads.start.to(torch::kFloat64), mean(places.start), 1e-5, 1e-4));
    EXPECT_TRUE(torch::allclose(heads.slope.to(torch::kFloat64), mean(places.slope), 1e-5, 1e-4));
    EXPECT_TRUE(torch::allclose(heads.fraction_logits.to(torch::kFloat64), fraction, 1e-5, 1e-4));
  });
}

// The shares up to the level reach a half, and those before it do not.
TEST_P(Distributions, HaveTheirMedians) {
  const auto sums = shares_.cumsum(1);
  with_each([&](const DistributionHead& head, const torch::Tensor& feature) {
    const auto level = head.median(feature).level.unsqueeze(1);
    const auto with = sums.gather(1, level);
    const auto before = with - shares_.gather(1, level);
    EXPECT_GT(with.min().item<double>(), 0.5 - 1e-5);
    EXPECT_LT(before.max().item<double>(), 0.5 + 1e-5);
  });
}

// Widths around the kernel's tile, levels around its groups.
INSTANTIATE_TEST_SUITE_P(Shapes, Distributions,
                         ::testing::Values(Case{1, 16, 8, 24, 256}, Case{2, 16, 5, 7, 256},
                                           Case{1, 3, 4, 25, 48}, Case{1, 64, 3, 30, 65},
                                           Case{1, 32, 17, 1, 2}, Case{3, 1, 1, 2, 7}));

// exp of the logits themselves would overflow.
TEST(DistributionHead, TakesLargeLogits) {
  const auto weight = torch::zeros({256, 16, 3, 3});
  auto bias = torch::full({256}, -1e6F);
  bias[40] = bias[44] = 1e6F;
  const DistributionHead head({weight, bias, {}, {}});
  const auto feature = torch::randn({1, 16, 4, 4});
  const LevelPlaces places{torch::arange(256).to(torch::kFloat32), torch::ones({256})};
  EXPECT_TRUE(torch::allclose(head.mean(feature, places).start, torch::full({1, 4, 4}, 42.F)));
  EXPECT_TRUE(head.median(feature).level.eq(40).all().item<bool>());
  EXPECT_FALSE(head.median(feature).fraction_logits.defined());
}

TEST(DistributionHead, GivesTheSameWithAnyNumberOfThreads) {
  torch::manual_seed(5);
  const DistributionHead head({torch::randn({256, 16, 3, 3}), torch::randn({256}), {}, {}});
  const auto feature = torch::randn({1, 16, 40, 24});
  const auto expected = head.median(feature).level;
  for (const int threads : {1, 3}) EXPECT_TRUE(head.median(feature, threads).level.equal(expected));
}

}  // namespace
}  // namespace dualdepth
