#include "dualdepth/quantize/encodings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/export/open_graph.h"
#include "planned_network.h"
#include "testing/temp_folder.h"

namespace dualdepth::quantize {
namespace {

using ::testing::HasSubstr;

// An asymmetric value, a symmetric one of 16 bits, and filters of two scales.
Encodings three_tensors() {
  return {.values = {{.name = "a", .scales = {0.5F}, .zero_point = 3},
                     {.name = "b", .scales = {0.25F}, .bits = 16, .is_signed = true}},
          .filters = {
              {.name = "w", .scales = {0.125F, 2.F}, .is_signed = true, .is_per_channel = true}}};
}

// By hand, after what aimet_onnx 2.42 exports: its offsets count unsigned codes.
TEST(AimetEncodings, CountOffsetsInUnsignedCodes) {
  const auto json = nlohmann::json::parse(aimet_encodings(three_tensors()));
  EXPECT_EQ(json["version"], "1.0.0");
  const auto& a = json["activation_encodings"][0];
  EXPECT_EQ(a, nlohmann::json::parse(R"({"name": "a", "bw": 8, "dtype": "INT", "is_sym": false,
      "enc_type": "PER_TENSOR", "scale": [0.5], "offset": [-3]})"));
  EXPECT_EQ(json["activation_encodings"][1]["offset"][0], -32768);
  EXPECT_EQ(json["param_encodings"][0],
            nlohmann::json::parse(R"({"name": "w", "bw": 8, "dtype": "INT", "is_sym": true,
      "enc_type": "PER_CHANNEL", "scale": [0.125, 2.0], "offset": [-128, -128]})"));
}

// Hexadecimal by Python's struct.pack('>f', x) of 0.0179033577, and of 252 / 128 / 127, the greater
// end of 256 codes of 1 / 128 around zero point 3.
TEST(TensorRtCalibrationCache, HoldsScalesAsBigEndianFloats) {
  const Encodings encodings{
      .values = {{.name = "relu46", .scales = {0.0179033577F}, .is_signed = true},
                 {.name = "pool", .scales = {0x1p-7F}, .zero_point = 3}},
      .filters = {}};
  EXPECT_EQ(tensorrt_calibration_cache(encodings),
            "TRT-8601-EntropyCalibration2\nrelu46: 3c92aa10\npool: 3c7dfbf8\n");
}

class WrittenEncodings : public PlannedNetwork {
 protected:
  WrittenEncodings() : quantization_(quantize_graph(graph_, contract_, pictures_, options_)) {}

  Quantization quantization_;
};

TEST_F(WrittenEncodings, RoundTheFloatFilesFiltersToTheQuantizedOnes) {
  const auto floats = float_graph(quantization_);
  const auto encodings = encodings_of(quantization_);
  ASSERT_EQ(encodings.filters.size(), 5U);
  size_t filter = 0;
  for (graph::NodeId id = 0; id < floats.nodes().size(); ++id) {
    const auto* conv = std::get_if<graph::Conv>(&floats.node(id).operation);
    if (conv == nullptr) continue;
    EXPECT_FALSE(conv->weight_scale.defined());
    const auto scale = torch::tensor(encodings.filters[filter].scales).view({-1, 1, 1, 1});
    const auto codes = (conv->weight / scale).round();
    const auto& quantized =
        std::get<graph::Conv>(quantization_.graph.node(quantization_.renamed[id]).operation);
    EXPECT_TRUE(torch::equal(codes * scale, quantized.weight));
    EXPECT_LE(codes.abs().max().item<float>(), 127);
    ++filter;
  }
}

TEST_F(WrittenEncodings, NameTensorsOfTheFileBesideThem) {
  const testing::TempFolder folder;
  write_encodings(quantization_, contract_, folder / "encodings");
  const auto file = read_file(folder / "encodings/float.onnx");
  const auto encodings = encodings_of(quantization_);
  EXPECT_EQ(encodings.values.size(), quantization_.plan.values.size());
  for (const auto& tensors : {encodings.values, encodings.filters}) {
    for (const auto& tensor : tensors) EXPECT_THAT(file, HasSubstr(tensor.name));
  }
  EXPECT_EQ(encodings.filters.front().name, "a.weight");
  const auto is_image = [](const TensorEncoding& value) { return value.name == "image"; };
  EXPECT_TRUE(std::ranges::any_of(encodings.values, is_image));
  EXPECT_EQ(read_file(folder / "encodings/tensorrt.calibration"),
            tensorrt_calibration_cache(encodings));
  const auto read = open_graph(folder / "encodings/float.onnx", 8, 16);
  EXPECT_EQ(read.nodes().size(), quantization_.reference.nodes().size());
}

}  // namespace
}  // namespace dualdepth::quantize
