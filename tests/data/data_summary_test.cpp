#include "dualdepth/data/data_summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/kitti_tree.h"

namespace dualdepth {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::KittiTree;
using ::testing::Pair;

TEST(DepthHistogram, CountsSumsAndRanks) {
  DepthHistogram histogram;
  for (int i = 1; i <= 100; ++i) histogram.add(static_cast<float>(i) / 2);  // 0.5 to 50 m
  histogram.add(300.0F);  // beyond what a depth PNG can say
  EXPECT_EQ(histogram.count(), 101);
  EXPECT_NEAR(histogram.mean(), (2525.0 + 300.0) / 101, 1e-9);
  EXPECT_EQ(histogram.count_between(0, 1), 1);    // 0.5
  EXPECT_EQ(histogram.count_between(1, 10), 18);  // 1 to 9.5
  EXPECT_EQ(histogram.count_between(50, 256), 2);
  EXPECT_EQ(histogram.quantile(0), 0.5);
  EXPECT_EQ(histogram.quantile(0.5), 25.5);  // the 51st of 101
  EXPECT_EQ(DepthHistogram{}.mean(), 0);
  EXPECT_EQ(DepthHistogram{}.quantile(0.5), 0);
}

TEST(Summarize, FindsSizesDepthsMissingFilesFaultsAndEmptySamples) {
  const KittiTree tree;
  tree.add_frames(5);
  tree.add_picture("raw/" + KittiTree::raw_picture(1), 60, {80, 48});  // depth has 64x48
  tree.add_depth("depth/train/" + KittiTree::drive_depth(2), 0);
  tree.add_picture("raw/" + KittiTree::raw_picture(3), 60, {72, 40});
  tree.add_depth("depth/train/" + KittiTree::drive_depth(3), 8, {72, 40});
  std::filesystem::remove(tree.root() / "depth/train" / KittiTree::drive_depth(4));
  DataOptions options = tree.options();
  options.missing = MissingPolicy::kSkip;
  const auto dataset = open_dataset(options, SplitRole::kTrain);
  const DataSummary summary = summarize(*dataset, 2, "test");
  EXPECT_EQ(summary.samples, 4);
  EXPECT_THAT(summary.sizes, ElementsAre(Pair(std::pair(64, 48), 2), Pair(std::pair(72, 40), 1)));
  EXPECT_THAT(summary.missing, ElementsAre(HasSubstr("train.txt:5: depth")));
  EXPECT_THAT(summary.faults, ElementsAre(HasSubstr("expected 80x48")));
  EXPECT_THAT(summary.without_depth, ElementsAre(HasSubstr("0000000002")));
  EXPECT_EQ(summary.pixels, 2 * 64 * 48 + 72 * 40);
  // Every 4th pixel of every 4th row: 16 x 12 at 5 m, 18 x 10 at 8 m.
  EXPECT_EQ(summary.depth.count(), 192 + 180);
  EXPECT_EQ(summary.depth.count_between(5, 5.01), 192);
  EXPECT_EQ(summary.depth.count_between(8, 8.01), 180);
}

}  // namespace
}  // namespace dualdepth
