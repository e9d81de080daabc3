#include "dualdepth/report/comparison_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/comparison_fixture.h"

namespace dualdepth {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ComparisonTable, HasAShortNameMetricsDifferenceTimeAndSizeOfEachModel) {
  const std::string table = comparison_table(testing::comparison_of_two());
  EXPECT_THAT(table, HasSubstr("protocol eigen-annotated, 2 pictures\n"));
  EXPECT_THAT(table, HasSubstr("model   abs_rel   rmse m      d1   mean mm  median mm  in 1.25  in "
                               "1.05       ms      MB\n"
                               "float    0.1500    4.500  0.8000         -          -        -     "
                               "   -     80.0    57.5\n"
                               "<int8>   0.1700    4.520  0.7800     181.8       7.97   0.9925   "
                               "0.9300        -    14.5\n"));
}

TEST(ComparisonTable, HasTheDeltaTheBinsAndAtTheEndThePaths) {
  const std::string table = comparison_table(testing::comparison_of_two());
  EXPECT_THAT(table, HasSubstr("<int8> +0.0200 (+0.0200 .. +0.0200) *\n"));
  EXPECT_THAT(table, HasSubstr("0-10           0.2500   0.2700\n"));
  EXPECT_THAT(table, HasSubstr("10-20               -        -\n"));
  EXPECT_THAT(table, HasSubstr("<int8>: 3 pixels without depth\n"));
  EXPECT_THAT(table,
              ::testing::EndsWith("float  runs/a/float.safetensors\n<int8> out/<int8>.onnx\n"));
}

TEST(ComparisonTable, OfOneModelHasNoDifference) {
  Comparison comparison = testing::comparison_of_two();
  comparison.results.pop_back();
  comparison.deltas.clear();
  EXPECT_THAT(comparison_table(comparison), Not(HasSubstr("abs_rel minus")));
}

TEST(ComparisonJson, HasTheDifferenceFromTheFirstModelAsNumbers) {
  const auto json = comparison_json(testing::comparison_of_two());
  const auto& first = json["models"][0];
  const auto& other = json["models"][1];
  EXPECT_EQ(json["num_samples"], 2);
  EXPECT_EQ(first["name"], "runs/a/float.safetensors");
  EXPECT_EQ(first["short_name"], "float");
  EXPECT_FALSE(first.contains("to_first"));
  const auto& difference = other["to_first"];
  for (const char* key : {"mean_mm", "median_mm", "within_1_25", "within_1_05"}) {
    EXPECT_TRUE(difference[key].is_number()) << key;
  }
  EXPECT_EQ(difference["mean_mm"], 181.84);
  EXPECT_EQ(difference["median_mm"], 7.97);
  EXPECT_EQ(difference["within_1_25"], 0.9925);
  EXPECT_EQ(difference["within_1_05"], 0.93);
  EXPECT_EQ(difference["pixels"], 400);
  EXPECT_EQ(difference["without_depth"], 3);
  EXPECT_EQ(difference["histogram"]["edges_mm"].size() + 1,
            difference["histogram"]["shares"].size());
  EXPECT_NEAR(other["delta"]["abs_rel"]["mean"].get<double>(), 0.02, 1e-12);
  EXPECT_FALSE(other.contains("ms_per_picture"));
}

TEST(ComparisonJson, LeavesOutWhatIsNotFinite) {
  Comparison comparison = testing::comparison_of_two();
  comparison.results[1].result.summary.silog = std::nan("");
  comparison.results[1].to_first.mean_mm = std::numeric_limits<double>::infinity();
  comparison.deltas[0].mean.silog = std::nan("");
  const auto json = comparison_json(comparison);
  EXPECT_FALSE(json["models"][1]["summary"].contains("silog"));
  EXPECT_FALSE(json["models"][1]["to_first"].contains("mean_mm"));
  EXPECT_THAT(json.dump(), Not(HasSubstr("null")));
}

}  // namespace
}  // namespace dualdepth
