#include "dualdepth/study/export_preflight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/temp_folder.h"

namespace dualdepth::study {
namespace {

TEST(ExportObstacle, OfTheDefaultThereIsNone) {
  const ::dualdepth::testing::TempFolder folder;
  for (const OnnxProfile profile : {OnnxProfile::kPortable, OnnxProfile::kNpu}) {
    EXPECT_EQ(export_obstacle({}, profile, folder / "scratch.onnx"), std::nullopt);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace dualdepth::study
