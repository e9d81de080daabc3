#include "dualdepth/runtime/decoding_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/error.h"
#include "testing/narrow_model.h"
#include "testing/random_checkpoint.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

EvaluatedDecoding evaluated(double quantile, double abs_rel, double rmse) {
  EvaluatedDecoding one{.decoding = {.slope = 1, .quantile = quantile}, .metrics = {}};
  one.metrics.abs_rel = abs_rel;
  one.metrics.rmse = rmse;
  return one;
}

// The least rmse is 4.96: 1 % more is 5.0096, 5 % more 5.208.
TEST(BestDecoding, HasTheLeastAbsRelAmongThoseWithNearlyTheLeastRmse) {
  const std::vector<EvaluatedDecoding> all{
      evaluated(0.3, 0.1229, 5.243), evaluated(0.4, 0.124, 5.096), evaluated(0.45, 0.1256, 5.003),
      evaluated(0.5, 0.1279, 4.96)};
  EXPECT_EQ(best_decoding(all, 1.01).decoding.quantile, 0.45);
  EXPECT_EQ(best_decoding(all, 1.05).decoding.quantile, 0.4);
  EXPECT_EQ(best_decoding(all, 1).decoding.quantile, 0.5);
  EXPECT_EQ(best_decoding(all, 2).decoding.quantile, 0.3);
}

TEST(WriteWithDecoding, ChangesTheDecodingAndNothingElse) {
  const testing::TempFolder folder;
  RunConfig config;
  config.model = testing::narrow_model();
  config.model.head.kind = HeadKind::kCumulative;
  config.data.image_shape = {32, 64};
  testing::write_random_checkpoint(folder / "a.safetensors", config);
  const Checkpoint before = open_checkpoint(folder / "a.safetensors");
  write_with_decoding(before, {.slope = 0.25, .quantile = 0.4}, folder / "b.safetensors");
  const Checkpoint after = open_checkpoint(folder / "b.safetensors");
  config.model.head.slope = 0.25;
  config.model.head.quantile = 0.4;
  EXPECT_EQ(to_yaml(after.config), to_yaml(config));
  EXPECT_EQ(after.metadata["step"], before.metadata["step"]);
  const auto old_tensors = read_tensors(before.file);
  const auto new_tensors = read_tensors(after.file);
  ASSERT_EQ(new_tensors.size(), old_tensors.size());
  for (const auto& [name, tensor] : old_tensors) {
    EXPECT_TRUE(new_tensors.at(name).equal(tensor)) << name;
  }
  EXPECT_THROW(write_with_decoding(before, {.slope = 1, .quantile = 0.999}, folder / "c"), Error);
}

}  // namespace
}  // namespace dualdepth
