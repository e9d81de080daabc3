#include "dualdepth/report/model_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dualdepth {
namespace {

using ::testing::ElementsAre;

TEST(ShortNames, AreStemsWhereThoseDiffer) {
  EXPECT_THAT(short_names({"runs/a/checkpoints/best.safetensors", "out/depth_int8.onnx", "chip/"}),
              ElementsAre("best", "depth_int8", "chip"));
}

TEST(ShortNames, HaveTheExtensionWhereStemsAreTheSame) {
  EXPECT_THAT(short_names({"a/depth.safetensors", "a/depth.onnx", "b/int8.onnx"}),
              ElementsAre("depth.safetensors", "depth.onnx", "int8.onnx"));
}

TEST(ShortNames, HaveTheFoldersThatDiffer) {
  EXPECT_THAT(short_names({"runs/a/best.ts", "runs/b/best.ts"}),
              ElementsAre("a/best.ts", "b/best.ts"));
  EXPECT_THAT(short_names({"runs/a/checkpoints/best.ts", "runs/b/checkpoints/best.ts"}),
              ElementsAre("a/.../best.ts", "b/.../best.ts"));
}

// a/.../best would be two of the three.
TEST(ShortNames, AreWholeWhereLeavingOutFoldersMakesTwoTheSame) {
  EXPECT_THAT(short_names({"a/x/best", "a/y/best", "b/x/best"}),
              ElementsAre("a/x/best", "a/y/best", "b/x/best"));
}

TEST(ShortNames, OfTheSamePathTwiceAreTheSame) {
  EXPECT_THAT(short_names({"a/best.ts", "a/best.ts"}), ElementsAre("best", "best"));
}

TEST(ShortNames, OfPathsWithoutAFileNameAreNotEmpty) {
  EXPECT_THAT(short_names({".", "/", "./"}), ::testing::Each(::testing::Not("")));
}

}  // namespace
}  // namespace dualdepth
