#include "dualdepth/data/augmentation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace dualdepth {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;

std::vector<float> augmented(const cv::Mat& rgb, const Augmentation& augmentation) {
  std::vector<float> image(rgb.total() * 3);
  write_augmented(rgb, augmentation, image.data());
  return image;
}

TEST(DrawAugmentation, ProbabilityZeroChangesNothing) {
  AugmentationOptions options;
  options.flip = options.jitter = options.crop_zoom = 0;
  for (uint64_t i = 0; i < 100; ++i) {
    const Augmentation drawn = draw_augmentation(options, RandomStream({1, 2, i}));
    EXPECT_FALSE(drawn.flip);
    EXPECT_EQ(drawn.brightness, 1);
    EXPECT_EQ(drawn.contrast, 1);
    EXPECT_EQ(drawn.saturation, 1);
    EXPECT_EQ(drawn.hue, 0);
    EXPECT_EQ(drawn.zoom, 1);
  }
}

TEST(DrawAugmentation, HappensAsOftenAsAskedAndStaysInItsRange) {
  AugmentationOptions options;
  options.flip = 0.3;
  options.jitter = 0.6;
  options.crop_zoom = 0.2;
  int flips = 0, jitters = 0, zooms = 0;
  constexpr int kDraws = 20000;
  for (uint64_t i = 0; i < kDraws; ++i) {
    const Augmentation drawn = draw_augmentation(options, RandomStream({i}));
    flips += drawn.flip;
    jitters += drawn.brightness != 1;
    zooms += drawn.zoom != 1;
    EXPECT_NEAR(drawn.brightness, 1, options.brightness);
    EXPECT_NEAR(drawn.contrast, 1, options.contrast);
    EXPECT_NEAR(drawn.saturation, 1, options.saturation);
    EXPECT_NEAR(drawn.hue, 0, options.hue);
    EXPECT_GE(drawn.zoom, 1);
    EXPECT_LE(drawn.zoom, options.max_zoom);
  }
  // Five standard errors: 5 * sqrt(p (1 - p) / 20000) < 0.018.
  EXPECT_NEAR(flips / double{kDraws}, 0.3, 0.018);
  EXPECT_NEAR(jitters / double{kDraws}, 0.6, 0.018);
  EXPECT_NEAR(zooms / double{kDraws}, 0.2, 0.018);
}

// A uniform draw from [-1, 1] has mean 0 and mean square 1/3; two independent ones have mean
// product 0. Bounds are five standard errors of the mean of 20000: 5 sqrt(var / 20000), where the
// variance of the draw is 1/3, of its square 4/45 and of a product 1/9.
TEST(DrawAugmentation, FourJittersAreUniformOverTheirRangesAndIndependent) {
  AugmentationOptions options;
  options.jitter = 1;
  options.brightness = 0.1;
  options.contrast = 0.2;
  options.saturation = 0.3;
  options.hue = 0.04;
  constexpr int kDraws = 20000;
  std::array<double, 4> sums{};
  std::array<std::array<double, 4>, 4> products{};
  for (uint64_t i = 0; i < kDraws; ++i) {
    const Augmentation drawn = draw_augmentation(options, RandomStream({i}));
    const std::array<double, 4> parts{(drawn.brightness - 1) / 0.1, (drawn.contrast - 1) / 0.2,
                                      (drawn.saturation - 1) / 0.3, drawn.hue / 0.04};
    for (size_t a = 0; a < 4; ++a) {
      sums[a] += parts[a] / kDraws;
      for (size_t b = 0; b < 4; ++b) products[a][b] += parts[a] * parts[b] / kDraws;
    }
  }
  for (size_t a = 0; a < 4; ++a) {
    EXPECT_NEAR(sums[a], 0, 0.0205) << a;
    EXPECT_NEAR(products[a][a], 1.0 / 3, 0.0106) << a;
    for (size_t b = 0; b < a; ++b) EXPECT_NEAR(products[a][b], 0, 0.0118) << a << " " << b;
  }
}

TEST(DrawAugmentation, OneOptionDoesNotChangeTheDrawsOfAnother) {
  AugmentationOptions without_jitter;
  without_jitter.jitter = 0;
  without_jitter.crop_zoom = 1;
  AugmentationOptions with_jitter = without_jitter;
  with_jitter.jitter = 1;
  for (uint64_t i = 0; i < 20; ++i) {
    const Augmentation a = draw_augmentation(without_jitter, RandomStream({i}));
    const Augmentation b = draw_augmentation(with_jitter, RandomStream({i}));
    EXPECT_EQ(a.flip, b.flip);
    EXPECT_EQ(a.zoom, b.zoom);
    EXPECT_EQ(a.zoom_left, b.zoom_left);
  }
}

TEST(ZoomRegion, LiesInsideAndHasTheZoomedSize) {
  const cv::Rect region(10, 20, 1200, 300);
  Augmentation augmentation;
  augmentation.zoom = 1.5;
  EXPECT_EQ(zoom_region(augmentation, region), cv::Rect(10, 20, 800, 200));
  augmentation.zoom_left = augmentation.zoom_top = 0.999999;
  EXPECT_EQ(zoom_region(augmentation, region), cv::Rect(410, 120, 800, 200));
  augmentation.zoom = 1;
  EXPECT_EQ(zoom_region(augmentation, region), region);
}

TEST(ColorMap, EqualsTheStepByStepComputationInNumPy) {
  Augmentation jitter;
  jitter.brightness = 1.1;
  jitter.contrast = 0.9;
  jitter.saturation = 1.2;
  jitter.hue = 0.04;
  const ColorMap map = color_map(jitter, {0.35, 0.4, 0.45});
  struct Golden {
    cv::Vec3f in, out;
  };
  // Printed by data_golden.py.
  for (const Golden& golden : {Golden{{0.5F, 0.5F, 0.5F}, {0.537983F, 0.537983F, 0.537983F}},
                               Golden{{0.8F, 0.2F, 0.1F}, {0.949012F, 0.147185F, 0.325881F}},
                               Golden{{0.1F, 0.6F, 0.9F}, {0.011084F, 0.729957F, 0.798569F}}}) {
    const cv::Vec3f out = map.matrix * golden.in + map.offset;
    for (int c = 0; c < 3; ++c) EXPECT_NEAR(out[c], golden.out[c], 2e-6);
  }
}

TEST(WriteAugmented, DefaultIsThePictureDividedBy255) {
  const cv::Mat rgb = (cv::Mat_<cv::Vec3b>(1, 2) << cv::Vec3b(0, 51, 255), cv::Vec3b(102, 1, 2));
  EXPECT_THAT(augmented(rgb, {}), ElementsAre(0.0F, FloatEq(0.2F), 1.0F, FloatEq(0.4F),
                                              FloatEq(1.0F / 255), FloatEq(2.0F / 255)));
}

TEST(WriteAugmented, FlipMirrorsColumns) {
  const cv::Mat rgb = (cv::Mat_<cv::Vec3b>(1, 2) << cv::Vec3b(0, 0, 0), cv::Vec3b(255, 0, 255));
  Augmentation flip;
  flip.flip = true;
  EXPECT_THAT(augmented(rgb, flip), ElementsAre(1, 0, 1, 0, 0, 0));
  EXPECT_EQ(rgb.at<cv::Vec3b>(0, 0), cv::Vec3b(0, 0, 0));  // the source may lie in a cache
}

TEST(WriteAugmented, BrightnessScalesAndClamps) {
  const cv::Mat rgb = (cv::Mat_<cv::Vec3b>(1, 1) << cv::Vec3b(51, 102, 230));
  Augmentation brighter;
  brighter.brightness = 1.2;
  const std::vector<float> image = augmented(rgb, brighter);
  EXPECT_NEAR(image[0], 0.24, 1e-6);
  EXPECT_NEAR(image[1], 0.48, 1e-6);
  EXPECT_EQ(image[2], 1.0F);
}

TEST(AugmentTruth, FlipMirrorsPixelsAndKeepsThemAscending) {
  // Width 4: row 0 has x = 0 and 3, row 2 has x = 1.
  const SparseDepth truth{{0, 3, 9}, {10.0F, 20.0F, 30.0F}};
  Augmentation flip;
  flip.flip = true;
  const SparseDepth mirrored = augment_truth(truth, flip, 4);
  EXPECT_THAT(mirrored.pixels, ElementsAre(0, 3, 10));
  EXPECT_THAT(mirrored.depths, ElementsAre(20.0F, 10.0F, 30.0F));
}

TEST(DrawTruth, KeepsAsManyAsAskedInOrderWithTheirDepths) {
  SparseDepth truth;
  for (int32_t i = 0; i < 100; ++i) {
    truth.pixels.push_back(3 * i);
    truth.depths.push_back(static_cast<float>(i));
  }
  std::vector<int> taken(100);
  constexpr int kDraws = 5000;
  for (uint64_t draw = 0; draw < kDraws; ++draw) {
    const SparseDepth some = draw_truth(truth, 20, RandomStream({draw}));
    ASSERT_EQ(some.pixels.size(), 20U);
    ASSERT_TRUE(std::is_sorted(some.pixels.begin(), some.pixels.end()));
    for (size_t i = 0; i < 20; ++i) {
      ASSERT_EQ(some.pixels[i], 3 * static_cast<int32_t>(some.depths[i]));
      ++taken[static_cast<size_t>(some.depths[i])];
    }
  }
  // Binomial with p = 0.2: mean 1000, standard deviation 28; five of them either way.
  for (const int times : taken) EXPECT_NEAR(times, 1000, 141);
}

TEST(DrawTruth, TakesAllWhenThereAreNoMore) {
  const SparseDepth truth{.pixels = {1, 5, 9}, .depths = {1, 2, 3}};
  EXPECT_THAT(draw_truth(truth, 3, RandomStream({1})).pixels, ElementsAre(1, 5, 9));
  EXPECT_THAT(draw_truth(truth, 100, RandomStream({1})).depths, ElementsAre(1, 2, 3));
}

}  // namespace
}  // namespace dualdepth
