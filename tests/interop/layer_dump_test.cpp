#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/onnx/onnx_writer.h"
#include "dualdepth/quantize/layer_comparison.h"
#include "dualdepth/quantize/quantize_model.h"
#include "dualdepth/runtime/dense_predictor.h"
#include "testing/interop_python.h"
#include "testing/narrow_model.h"
#include "testing/random_checkpoint.h"
#include "testing/street_picture.h"
#include "testing/temp_folder.h"

// Golden tensors against the codes what ONNX Runtime computes of the same file and the dumped
// input.
namespace dualdepth {
namespace {

TEST(LayerDumps, OnnxRuntimeComputesTheGoldenTensors) {
  DUALDEPTH_NEEDS_INTEROP();
  const testing::TempFolder folder;
  RunConfig config;
  config.model = testing::narrow_model();
  config.data.image_shape = {64, 96};
  testing::write_random_checkpoint(folder / "checkpoint.safetensors", config);
  const auto model = quantize::open_float_model(folder / "checkpoint.safetensors");
  const graph::Pictures pictures{
      2, [&](size_t index) {
        return to_network_picture(testing::street_picture(index), model.input()).image;
      }};
  quantize::QuantizeOptions options;
  options.equalize = options.correct_bias = options.round_adaptively = false;
  options.judged_pictures = 1;
  const auto quantization =
      quantize::quantize_graph(model.graph, model.contract, pictures, options);
  quantize::write_quantized(quantization, model.contract, pictures, OnnxProfile::kPortable,
                            folder / "int8.onnx");
  ASSERT_TRUE(quantize::write_layer_dump(quantization.graph, value_names(quantization.graph),
                                         pictures, "int8.onnx", folder / "golden"));
  const auto golden = quantize::read_layer_dump(folder / "golden");
  const auto script =
      testing::run_interop_script("interop/dump_layers.py", folder / "int8.onnx",
                                  golden.folder / golden.input.file, folder / "theirs");
  ASSERT_EQ(script.exit_code, 0) << script.errors;
  const auto comparison = quantize::compare_layers(golden, folder / "theirs");
  EXPECT_EQ(comparison.unknown, std::vector<std::string>());
  size_t compared = 0;
  for (const auto& layer : comparison.layers) {
    if (layer.is_missing) continue;  // MaxPool, Upsample, Concat: float in a Q/DQ file
    ++compared;
    EXPECT_GT(layer.equal, 0.9999) << layer.name << ": " << layer.sqnr << " dB";
  }
  EXPECT_GT(compared, 40);
}

}  // namespace
}  // namespace dualdepth
