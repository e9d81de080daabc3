#include <gtest/gtest.h>

#include "dualdepth/export/frozen_trace.h"
#include "dualdepth/export/graph_from_trace.h"
#include "dualdepth/graph/patterns.h"
#include "dualdepth/quantize/quantize_graph.h"
#include "testing/narrow_model.h"
#include "testing/random_checkpoint.h"

namespace dualdepth::quantize {
namespace {

torch::Tensor picture(size_t index) {
  auto generator = at::detail::createCPUGenerator(index + 30);
  return torch::rand({1, 3, 32, 64}, generator);
}

// A network with a cumulative head of random weights, quantized without fitting.
class CumulativeHead : public ::testing::TestWithParam<OnnxProfile> {
 protected:
  Quantization quantized(int64_t groups) const {
    ModelOptions model = testing::narrow_model();
    model.head.kind = HeadKind::kCumulative;
    DataOptions data;
    data.image_shape = {32, 64};
    const auto network = graph::with_outputs(
        graph::merge_affine(graph_from_trace(
            trace_network(testing::random_net(model), {ModelOutputs::kLogits}), {1, 3, 32, 64})),
        HeadKind::kCumulative, model.params.codec, {ModelOutputs::kPosition, groups});
    QuantizeOptions options;
    options.profile = GetParam();
    options.equalize = options.correct_bias = options.round_adaptively = false;
    options.judged_pictures = 1;
    return quantize_graph(network, contract_of(model, data, ModelOutputs::kPosition), {2, picture},
                          options);
  }
};

// By the ends of the ranges, 0 to 1 and 0 to 16, not by what the pictures show.
TEST_P(CumulativeHead, HasTheScalesThatItsThresholdsHave) {
  const Quantization quantization = quantized(0);
  const auto names = graph::node_names(quantization.reference);
  const auto head = graph::position_head(quantization.reference);
  ASSERT_TRUE(head.has_value());
  EXPECT_FALSE(quantization.plan.values.contains(names[head->conv]));
  const auto& clip = quantization.plan.values.at(names[head->clip]);
  const bool is_signed = GetParam() == OnnxProfile::kTensorRt;
  EXPECT_FLOAT_EQ(clip.scale, is_signed ? 1.F / 127 : 1.F / 255);
  EXPECT_EQ(clip.zero_point, 0);
  if (is_signed) {  // whose convolutions return float
    EXPECT_FALSE(quantization.plan.values.contains(names[head->sum]));
    return;
  }
  const auto& sum = quantization.plan.values.at(names[head->sum]);
  EXPECT_FLOAT_EQ(sum.scale, 16.F / 255);
  EXPECT_EQ(sum.zero_point, 0);
}

// Each of 16 sums is off by half a code, 1/32 of a level of 0.31 m, at most; the rest is what the
// network's other layers lose. One sum has codes of a whole level.
TEST_P(CumulativeHead, LosesLessWithSixteenSumsThanWithOne) {
  const double sixteen = quantized(0).stages.back().error.mean;
  const double one = quantized(1).stages.back().error.mean;
  EXPECT_LT(sixteen, 0.1);
  if (GetParam() == OnnxProfile::kTensorRt) return;  // whose sums are float
  EXPECT_LT(sixteen, one);
}

INSTANTIATE_TEST_SUITE_P(Profiles, CumulativeHead,
                         ::testing::Values(OnnxProfile::kPortable, OnnxProfile::kNpu,
                                           OnnxProfile::kTensorRt),
                         [](const auto& info) { return std::string(enum_name(info.param)); });

}  // namespace
}  // namespace dualdepth::quantize
