#include "dualdepth/report/quantization_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dualdepth {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

QuantizationReport report() {
  return {.model = "best<1>.safetensors",
          .file = "int8.onnx",
          .profile = "portable",
          .measure = "abs_rel",
          .float_error = 0.0391,
          .stages = {{"plain", 51.25, 20, 3.5, 0.625, -0.25}, {"file", 12.5, 4, 0.9, 0.8, 0.01}},
          .layers = {{.name = "decoder.Relu_7",
                      .place = 7,
                      .percent = 1.5,
                      .mean_mm = 21.5,
                      .error = 0.0402,
                      .snr_alone = 33,
                      .snr_all = 28,
                      .advice = "saturation"},
                     {.name = "encoder.Relu", .place = 2, .percent = 0.25, .snr_alone = 41}},
          .float_layers = {"head/Conv"}};
}

TEST(QuantizationPage, NamesTheModelStepsAndLayers) {
  const auto page = quantization_page(report());
  for (const auto* part :
       {"best&lt;1&gt;.safetensors", "int8.onnx", "51.25", "-0.250", "decoder.Relu_7", "0.0402",
        "33.0", "saturation", "head/Conv", "0.0391"}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
  EXPECT_THAT(page, Not(HasSubstr("best<1>")));
}

TEST(QuantizationPage, PlotsLayersOnlyWhereThereAreAny) {
  auto plain = report();
  plain.layers.clear();
  EXPECT_THAT(quantization_page(report()), HasSubstr("<svg"));
  EXPECT_THAT(quantization_page(plain), Not(HasSubstr("<svg")));
}

TEST(QuantizationJson, HoldsEachNumberUnderItsName) {
  const auto json = quantization_json(report());
  EXPECT_EQ(json["stages"][0]["mean_mm"], 51.25);
  EXPECT_EQ(json["layers"][0]["abs_rel"], 0.0402);
  EXPECT_EQ(json["layers"][0]["place"], 7);
  EXPECT_EQ(json["float_abs_rel"], 0.0391);
  EXPECT_EQ(json["float_layers"][0], "head/Conv");
}

TEST(QuantizationJson, NamesTheUsersMetricAndLeavesOutWhatWasNotMeasured) {
  auto measured = report();
  measured.measure = "metric";
  EXPECT_EQ(quantization_json(measured)["layers"][0]["metric"], 0.0402);
  EXPECT_EQ(quantization_json(measured)["float_metric"], 0.0391);
  measured.measure.clear();
  EXPECT_FALSE(quantization_json(measured)["layers"][0].contains("abs_rel"));
  EXPECT_FALSE(quantization_json(measured).contains("float_abs_rel"));
}

}  // namespace
}  // namespace dualdepth
