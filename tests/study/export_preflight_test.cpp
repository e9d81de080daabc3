#include "dualdepth/study/export_preflight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/error.h"
#include "dualdepth/study/prepare_study.h"
#include "study/study_fixture.h"

namespace dualdepth::study {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::ThrowsMessage;

// No configuration that can be read has so many: each that can be read today can be exported.
ModelOptions with_300_levels() {
  ModelOptions model;
  model.params.codec.n_integer_levels = 300;
  return model;
}

TEST(ExportObstacle, OfTheDefaultThereIsNone) {
  const ::dualdepth::testing::TempFolder folder;
  for (const OnnxProfile profile : {OnnxProfile::kPortable, OnnxProfile::kNpu}) {
    EXPECT_EQ(export_obstacle({}, profile, folder / "scratch.onnx"), std::nullopt);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(ExportObstacle, IsWhatTheExporterSays) {
  const ::dualdepth::testing::TempFolder folder;
  const auto obstacle =
      export_obstacle(with_300_levels(), OnnxProfile::kNpu, folder / "scratch.onnx");
  ASSERT_TRUE(obstacle.has_value());
  EXPECT_THAT(*obstacle, HasSubstr("n_integer_levels: expected 2 to 256, got 300"));
}

TEST(ExpectExportable, NamesEachVariantThatIsNot) {
  const testing::StudyFile file(
      "base: base.yaml\njudge: {profile: npu, weights: [per-tensor]}\nvariants: {a: {}, b: {}}\n");
  const auto study = file.load();
  auto runs = plan_runs(study, file.folder() / "out");
  EXPECT_NO_THROW(expect_exportable(study, runs));
  runs[1].config.model = with_300_levels();
  EXPECT_THAT([&] { expect_exportable(study, runs); },
              ThrowsMessage<Error>(
                  AllOf(HasSubstr("judge.profile: expected a profile that all"),
                        HasSubstr("got npu"), HasSubstr("variant b on data base: "),
                        HasSubstr("expected 2 to 256, got 300"), Not(HasSubstr("variant a")))));
  EXPECT_FALSE(std::filesystem::exists(file.folder() / "out"));
}

}  // namespace
}  // namespace dualdepth::study
