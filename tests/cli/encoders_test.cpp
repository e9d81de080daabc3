// The encoders and the cheaper decoders on the way from training to a file in 8 bits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "trained_checkpoint.h"

namespace dualdepth {
namespace {

using ::testing::HasSubstr;

class Encoders : public TrainedCheckpoint {
 protected:
  static void SetUpTestSuite() { train(2, 1); }

  // Trains one step with these options, in the folder `name`; returns the checkpoint.
  static std::string trained(const std::string& name, const Words& options) {
    Words words{"train", path("run.yaml"), "output_dir=" + path(name), "model.decoder_width=0.25",
                "model.head.kind=cumulative"};
    words.insert(words.end(), options.begin(), options.end());
    const auto result = run(words);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return path(name + "/checkpoints/last.safetensors");
  }

  static void expect_exports_and_quantizes(const std::string& checkpoint) {
    const auto expected = eval(checkpoint);
    const auto exported = run({"export", checkpoint, "--out", path("m.onnx")});
    ASSERT_EQ(exported.exit_code, 0) << exported.errors << exported.output;
    expect_same_metrics(eval(path("m.onnx")), expected, 1e-3);
    const auto quantized =
        run({"quantize", checkpoint, "--calibration", path("raw"), "--out", path("q.onnx"),
             "--pictures", "2", "--without", "adaptive-rounding"});
    ASSERT_EQ(quantized.exit_code, 0) << quantized.errors << quantized.output;
    expect_same_metrics(eval(path("q.onnx"), {"--as-written"}), expected, 0.05);
  }
};

class LightEncoders : public Encoders, public ::testing::WithParamInterface<const char*> {};

TEST_P(LightEncoders, TrainExportAndQuantize) {
  const std::string encoder = GetParam();
  expect_exports_and_quantizes(
      trained(encoder, {"model.encoder=" + encoder, "model.encoder_width=0.25"}));
}

INSTANTIATE_TEST_SUITE_P(All, LightEncoders,
                         ::testing::Values("mobilenet_v2", "mobilenet_v3_large",
                                           "efficientnet_lite0"),
                         [](const auto& info) { return std::string(info.param); });

// The maps of the file are half as high and wide as its input; depth is enlarged to the picture.
TEST_F(Encoders, ASeparableDecoderWithItsHeadAtScale1) {
  const auto checkpoint =
      trained("separable", {"model.encoder_width=0.125", "model.decoder_block=separable",
                            "model.head.scales=[1]", "loss.scale_weights=[0,1,0,0]"});
  expect_exports_and_quantizes(checkpoint);
  const auto printed = run({"inspect", "model", checkpoint});
  EXPECT_THAT(printed.output, HasSubstr("256 x 16 x 32"));  // the head's logits
}

}  // namespace
}  // namespace dualdepth
