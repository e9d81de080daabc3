#include "dualdepth/study/study_result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "dualdepth/study/study_text.h"
#include "study/result_fixture.h"

namespace dualdepth::study {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::judged;
using testing::result_of_two;

class ResultOfTwo : public ::testing::Test {
 protected:
  const StudyResult result_ = result_of_two();
  const VariantSummary& sigmoid_ = result_.summary.at(0);
  const VariantSummary& levels_ = result_.summary.at(1);
};

// NumPy and SciPy 1.17.1: v = picture means of the three seeds; np.mean(v),
// scipy.stats.sem(v) * scipy.stats.t.ppf(0.975, 2).
TEST_F(ResultOfTwo, IntervalOverSeedsEqualsScipy) {
  const FileSummary* file = sigmoid_.file("float");
  ASSERT_NE(file, nullptr);
  EXPECT_NEAR(file->metrics.mean.abs_rel, 0.14166666666666664, 1e-12);
  EXPECT_NEAR(file->metrics.half_width.abs_rel, 0.018972915167983814, 1e-10);
  EXPECT_NEAR(file->metrics.mean.rmse, 1.4166666666666664, 1e-12);
  EXPECT_EQ(sigmoid_.done, 3U);
  EXPECT_EQ(levels_.done, 2U);
  EXPECT_EQ(levels_.runs, 3U);
}

// Differences of the picture means of seeds 0 and 1, which both have: -0.025 and -0.015. Over
// seeds each picture differs by the same (-0.01 -0.03) / 2 and so on, see the fixture.
TEST_F(ResultOfTwo, DifferencesArePairedBySeedAndPicture) {
  EXPECT_FALSE(sigmoid_.file("float")->difference.has_value());
  const auto& difference = levels_.file("float")->difference;
  ASSERT_TRUE(difference.has_value());
  EXPECT_NEAR(difference->mean.abs_rel, -0.02, 1e-12);
  EXPECT_NEAR(difference->half_width.abs_rel, 0.06353102368087335, 1e-8);
  EXPECT_NEAR(difference->low.abs_rel, -0.02, 1e-12);
  EXPECT_NEAR(difference->high.abs_rel, -0.02, 1e-12);
  EXPECT_NEAR(difference->mean.d1, 0.02, 1e-12);
}

TEST_F(ResultOfTwo, WhatEightBitsDoIsAveragedOverSeeds) {
  const FileSummary* file = sigmoid_.file("int8_per_tensor_as_written");
  ASSERT_NE(file, nullptr);
  EXPECT_NEAR(file->mean_mm.mean, 41, 1e-12);
  EXPECT_NEAR(file->mean_mm.half_width.value(), 2.4841377117503303, 1e-8);
  EXPECT_NEAR(file->bins.at(0).moved_mm.mean, 41, 1e-12);
  EXPECT_DOUBLE_EQ(file->histogram.at(3), 1);
}

TEST_F(ResultOfTwo, RangesWithoutAPixelAreLeftOut) {
  const FileSummary* file = sigmoid_.file("float");
  ASSERT_EQ(file->bins.size(), 1U);
  EXPECT_EQ(file->bins[0].name, "0-10");
  EXPECT_NEAR(file->bins[0].mae.mean, 8 * 0.14166666666666664, 1e-12);
}

TEST(Summarize, OtherPicturesHaveNoPairedDifference) {
  StudyResult result = result_of_two();
  for (RunResult& run : result.runs) {
    if (run.run.variant == "levels_256" && !run.files.empty()) {
      run.files[0].result.samples[1].id = "another";
    }
  }
  const auto summary = summarize(result.study, result.runs);
  EXPECT_FALSE(summary[1].file("float")->difference.has_value());
  EXPECT_TRUE(summary[1].file("int8_per_tensor_as_written")->difference.has_value());
}

TEST(Summarize, OneSeedHasNoIntervalOverSeeds) {
  StudyResult result = result_of_two();
  result.runs.resize(2);
  const auto summary = summarize(result.study, result.runs);
  EXPECT_NEAR(summary[0].file("float")->metrics.mean.abs_rel, 0.15, 1e-12);
  EXPECT_TRUE(std::isnan(summary[0].file("float")->metrics.half_width.abs_rel));
}

TEST(JudgedFile, IsReadBackAsItIsWritten) {
  const JudgedFile file = judged("float", {0.1, 0.2}, 7);
  const nlohmann::json json = nlohmann::json::parse(to_json(file).dump());
  const JudgedFile read = judged_file_from(json);
  EXPECT_EQ(read.name, "float");
  EXPECT_EQ(read.result.protocol, "eigen-annotated");
  ASSERT_EQ(read.result.samples.size(), 2U);
  EXPECT_EQ(read.result.samples[1].id, "1");
  EXPECT_EQ(read.result.samples[1].metrics.rmse, 2);
  EXPECT_EQ(read.result.summary.d1, 0.85);
  EXPECT_EQ(read.result.bins[0].metrics.mae, file.result.bins[0].metrics.mae);
  EXPECT_EQ(read.result.bins[1].pixels, 0U);
  EXPECT_EQ(read.to_float.mean_mm, 7);
  EXPECT_EQ(read.to_float.histogram, file.to_float.histogram);
  EXPECT_EQ(read.to_float.bins[0].mean_mm, 7);
  EXPECT_EQ(read.ms_per_picture, 12.5);
}

TEST(JudgedNames, FollowTheWeights) {
  const JudgeOptions both;
  EXPECT_THAT(judged_names(both),
              ::testing::ElementsAre("float", "float_as_written", "int8_per_channel",
                                     "int8_per_channel_as_written", "int8_per_tensor",
                                     "int8_per_tensor_as_written"));
  EXPECT_EQ(int8_name(both), "int8_per_tensor_as_written");
  EXPECT_EQ(int8_name({.weights = {WeightGranularity::kPerChannel}}),
            "int8_per_channel_as_written");
}

TEST_F(ResultOfTwo, JsonHasAnEntryForEachRunAndNumbersOnly) {
  const auto json = study_json(result_);
  ASSERT_EQ(json["variants"].size(), 6U);
  const auto& first = json["variants"][0];
  EXPECT_EQ(first["name"], "one_sigmoid");
  EXPECT_EQ(first["seed"], 0);
  EXPECT_EQ(first["data"], "roads");
  EXPECT_NEAR(first["float"]["abs_rel"].get<double>(), 0.15, 1e-12);
  EXPECT_NEAR(first["int8"]["abs_rel"].get<double>(), 0.16, 1e-12);
  EXPECT_EQ(first["int8"]["mean_mm"], 40);
  EXPECT_FALSE(first.contains("error"));
  const auto& failed = json["variants"][5];
  EXPECT_EQ(failed["error"], "train: no <luck>");
  EXPECT_FALSE(failed.contains("float"));
  const auto& row = json["summary"][1];
  EXPECT_EQ(row["cost"]["handed_out_bytes"], 61440);
  const auto& difference = row["files"]["float"]["difference"]["abs_rel"];
  EXPECT_NEAR(difference["mean"].get<double>(), -0.02, 1e-12);
  EXPECT_NEAR(difference["seeds_95"][0].get<double>(), -0.02 - 0.06353102368087335, 1e-8);
  EXPECT_EQ(json.dump().find("null"), std::string::npos);
}

TEST_F(ResultOfTwo, TableHasARowForEachVariantAndTheFailures) {
  EXPECT_THAT(study_table(result_),
              AllOf(HasSubstr("one_sigmoid                3/3"), HasSubstr("0.1417 +- 0.0190"),
                    HasSubstr("levels_256                 2/3"),
                    HasSubstr("failed levels_256/roads/seed_2: train: no <luck>")));
}

}  // namespace
}  // namespace dualdepth::study
