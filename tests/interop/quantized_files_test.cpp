#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "dualdepth/export/open_graph.h"
#include "dualdepth/graph/run_graph.h"
#include "dualdepth/model/tensor_file.h"
#include "dualdepth/onnx/lint.h"
#include "dualdepth/quantize/quantize_model.h"
#include "dualdepth/runtime/exported_model.h"
#include "testing/interop_python.h"
#include "testing/random_checkpoint.h"
#include "testing/temp_folder.h"

// Quantized files in ONNX Runtime and OpenVINO.
namespace dualdepth {
namespace {

torch::Tensor picture(size_t index) {
  // A generator of its own: calibration asks from several threads at once.
  const auto generator = at::detail::createCPUGenerator(index + 10);
  // Smooth, as pictures are.
  return torch::upsample_bilinear2d(torch::rand({1, 3, 8, 12}, generator), {64, 96}, false);
}

class QuantizedFiles : public ::testing::Test {
 protected:
  QuantizedFiles() {
    RunConfig config;
    config.data.image_shape = {64, 96};
    testing::write_random_checkpoint(folder_ / "checkpoint.safetensors", config);
    model_ = quantize::open_float_model(folder_ / "checkpoint.safetensors");
  }

  quantize::Quantization quantized(OnnxProfile profile) const {
    quantize::QuantizeOptions options;
    options.profile = profile;
    options.round_adaptively = false;
    options.judged_pictures = 1;
    options.positions = 1000;
    return quantize::quantize_graph(model_.graph, model_.contract, {4, picture}, options);
  }

  std::filesystem::path written(const quantize::Quantization& quantization, OnnxProfile profile) {
    const auto file = folder_ / fmt::format("{}.onnx", enum_name(profile));
    quantize::write_quantized(quantization, model_.contract, {1, picture}, profile, file);
    return file;
  }

  quantize::FloatModel model_;
  testing::TempFolder folder_;
};

TEST_F(QuantizedFiles, OpenVinoComputesEveryConvolutionIn8Bits) {
  for (const auto profile : {OnnxProfile::kPortable, OnnxProfile::kOpenVino, OnnxProfile::kNpu}) {
    const auto file = written(quantized(profile), profile);
    const auto model = open_onnx(file, {.profile = true});
    model->run(picture(0));
    int convolutions = 0;
    for (const auto& layer : model->layer_times()) {
      if (layer.kind != "Convolution") continue;
      ++convolutions;
      EXPECT_NE(layer.precision.find("I8"), std::string::npos) << layer.name << layer.precision;
    }
    EXPECT_EQ(convolutions, 31) << enum_name(profile);  // the integer head is our own kernel
  }
}

TEST_F(QuantizedFiles, TheFileForTensorRtKeepsItsRules) {
  const auto file = written(quantized(OnnxProfile::kTensorRt), OnnxProfile::kTensorRt);
  for (const auto& finding : lint(OnnxFile(file), LintTarget::kTensorRt)) {
    ADD_FAILURE() << finding.node << ": " << finding.rule.name << ": " << finding.got;
  }
}

TEST_F(QuantizedFiles, AreReadAsTheNetworkThatWasWritten) {
  for (const auto profile : {OnnxProfile::kPortable, OnnxProfile::kNpu}) {
    const auto quantization = quantized(profile);
    const auto read = open_graph(written(quantization, profile), 64, 96);
    const auto wanted =
        graph::run_graph(quantization.graph, picture(7), graph::output_nodes(quantization.graph));
    const auto said = graph::run_graph(read, picture(7), graph::output_nodes(read));
    ASSERT_EQ(said.size(), wanted.size());
    for (size_t i = 0; i < said.size(); ++i) EXPECT_TRUE(said[i].equal(wanted[i]));
  }
}

// What run_graph says of a picture: level and fraction, and of each grid its steps by the node's
// name.
NamedTensors emulated(const graph::Graph& graph, const torch::Tensor& image) {
  NamedTensors said{{"image", image}};
  const auto names = graph::node_names(graph);
  std::map<std::string, std::vector<torch::Tensor>> stripes;
  const auto ends = graph::run_graph(
      graph, image, graph::output_nodes(graph), [&](graph::NodeId id, const torch::Tensor& value) {
        const auto* grid = std::get_if<graph::FakeQuantize>(&graph.node(id).operation);
        if (grid == nullptr) return;
        const auto steps = (value / grid->scale).round() + static_cast<double>(grid->zero_point);
        stripes[names.at(id)].push_back(steps.to(torch::kInt32));
      });
  for (const auto& [name, parts] : stripes) said[name] = torch::cat(parts, 2);
  for (size_t i = 0; i < ends.size(); ++i) said[graph.outputs()[i].name] = ends[i];
  return said;
}

// ONNX Runtime has no fused convolution for opset 9, and has to leave those of that file as they
// are.
TEST_F(QuantizedFiles, OnnxRuntimeFusesEveryConvolutionAndComputesTheEmulatedSteps) {
  DUALDEPTH_NEEDS_INTEROP();
  for (const auto& [profile, fused] :
       {std::pair(OnnxProfile::kPortable, "32"), std::pair(OnnxProfile::kNpu, "0")}) {
    const auto quantization = quantized(profile);
    const auto file = written(quantization, profile);
    write_tensors(folder_ / "expected.safetensors", emulated(quantization.graph, picture(7)));
    const auto result = testing::run_interop_script("interop/run_quantized.py",
                                                    folder_ / "expected.safetensors", file, fused);
    EXPECT_EQ(result.exit_code, 0) << enum_name(profile) << result.output << result.errors;
  }
}

}  // namespace
}  // namespace dualdepth
