#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/export/open_graph.h"
#include "dualdepth/graph/run_graph.h"
#include "dualdepth/io/npy_array.h"
#include "dualdepth/quantize/quantize_model.h"
#include "testing/interop_python.h"
#include "testing/temp_folder.h"

// `quantize` of an ONNX file changes that file: checked with Python's onnx and run in ONNX Runtime.
namespace dualdepth {
namespace {

torch::Tensor picture_of(size_t index, int64_t height, int64_t width) {
  torch::manual_seed(index);
  const auto coarse = torch::rand({1, 3, height / 8, width / 8});
  return torch::upsample_bilinear2d(coarse, {height, width}, /*align_corners=*/false);
}

class CopiedFiles : public ::testing::TestWithParam<int> {};

TEST_P(CopiedFiles, KeepTheirNamesAndComputeTheEmulationAtAnySize) {
  DUALDEPTH_NEEDS_INTEROP();
  const testing::TempFolder folder;
  const auto python = [&](const std::vector<std::filesystem::path>& words) {
    std::vector<std::string> all{testing::source_dir() / "tests/interop/copied_file.py"};
    for (const auto& word : words) all.push_back(word.string());
    const auto result = testing::run_program(testing::interop_python(), all);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
  };
  const auto original = folder / "original.onnx";
  const auto quantized = folder / "quantized.onnx";
  python({"make", std::to_string(GetParam()), original});

  Contract contract;
  contract.input.size = {32, 64};
  contract.outputs = {{.name = "depth out", .is = OutputKind::kDepth, .scale = 50}};
  const auto model = quantize::open_float_model(original, {}, contract);
  const graph::Pictures pictures{4, [](size_t index) { return picture_of(index, 32, 64); }};
  quantize::QuantizeOptions options;
  options.round_adaptively = false;
  const auto quantization =
      quantize::quantize_graph(model.graph, model.contract, pictures, options);
  const auto check = quantize::write_quantized(quantization, model.contract, pictures,
                                               OnnxProfile::kPortable, quantized, &model);
  EXPECT_EQ(check.notes.size(), GetParam() < 13 ? 1 : 0);
  python({"check", original, quantized});

  for (const auto& [height, width] : {std::pair(32, 64), std::pair(64, 96)}) {
    const auto image = picture_of(9, height, width);
    std::string bytes = npy_header(NpyType::kFloat32, image.sizes());
    bytes.append(static_cast<const char*>(image.contiguous().const_data_ptr()), image.nbytes());
    folder.write("in.npy", bytes);
    python({"run", quantized, folder / "in.npy", folder / "out.npy"});
    const NpyFile out(folder / "out.npy");
    const auto theirs =
        torch::from_blob(const_cast<std::byte*>(out.data().data()), {1, 1, height, width});
    const auto graph = open_graph(quantized, height, width);
    const auto ours = graph::run_graph(graph, image, graph::output_nodes(graph)).at(0);
    const auto difference = (ours - theirs).abs();
    EXPECT_LE(difference.max().item<float>(), 1.01F / 256) << height;  // one code of the sigmoid
    EXPECT_LT(difference.gt(1e-6).to(torch::kFloat64).mean().item<double>(), 1e-3) << height;
    EXPECT_GT(ours.std().item<float>(), 0.01);
  }
}

INSTANTIATE_TEST_SUITE_P(Opsets, CopiedFiles, ::testing::Values(11, 13, 17),
                         [](const auto& info) { return std::to_string(info.param); });

}  // namespace
}  // namespace dualdepth
