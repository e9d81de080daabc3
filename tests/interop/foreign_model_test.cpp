#include <gtest/gtest.h>

#include "dualdepth/io/image.h"
#include "dualdepth/io/npy.h"
#include "dualdepth/runtime/predictor.h"
#include "testing/interop_python.h"
#include "testing/temp_folder.h"

// A network that ONNX's own helpers wrote, against the depth that ONNX Runtime computes.
namespace dualdepth {
namespace {

TEST(ForeignFiles, PredictWhatOnnxRuntimeComputes) {
  DUALDEPTH_NEEDS_INTEROP();
  const testing::TempFolder folder;
  const auto made = testing::run_interop_script("interop/make_foreign.py", folder.path());
  ASSERT_EQ(made.exit_code, 0) << made.errors;
  const auto card = folder.write("card.json", R"({
  "format_version": 2,
  "input": {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
  "outputs": {"predicted_depth": {"is": "depth"}}
})");
  const auto model = open_predictor(folder / "foreign_random.onnx",
                                    {.device = DeviceKind::kCpu, .threads = 1, .card = card});
  const auto depth = model.predictor->predict(read_rgb(folder / "picture.png")).depth;
  EXPECT_LE(cv::norm(depth, read_npy(folder / "expected.npy"), cv::NORM_INF), 1e-4);
}

}  // namespace
}  // namespace dualdepth
