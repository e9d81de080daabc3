#include "dualdepth/quantize/file_proof.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include "dualdepth/base/error.h"
#include "dualdepth/export/export_check.h"
#include "dualdepth/export/open_graph.h"
#include "dualdepth/graph/clipped_winners.h"
#include "dualdepth/onnx/onnx_file.h"
#include "dualdepth/quantize/layer_proof.h"
#include "dualdepth/runtime/exported_model.h"

namespace dualdepth::quantize {
namespace {

namespace fs = std::filesystem;
using graph::Pictures;

[[noreturn]] void refuse(const std::string& subject, const std::string& expected,
                         const std::string& got, const std::string& fix) {
  throw Error({.subject = subject, .expected = expected, .got = got, .fix = fix});
}

std::string name_of(size_t index, const Pictures& pictures) {
  return fmt::format("picture {} of the {} of calibration that are compared", index + 1,
                     pictures.count);
}

// Zeros where the network has levels only, as a segmentation has.
torch::Tensor fraction_of(const DensePrediction& prediction) {
  return prediction.fraction.defined() ? prediction.fraction : torch::zeros_like(prediction.depth);
}

// Share of the pixels that have the same level, and the same fraction or depth to one code.
double equal_pixels(const DensePrediction& a, const DensePrediction& b, const CodecOptions& codec) {
  constexpr double kCode = 1.01 / 255;
  const auto close = [](const torch::Tensor& x, const torch::Tensor& y, double tolerance) {
    return (x - y).abs().le(tolerance);  // false where one is NaN
  };
  const auto equal =
      a.level.defined() && b.level.defined()
          ? a.level.eq(b.level).logical_and(close(fraction_of(a), fraction_of(b), kCode))
          : close(a.depth, b.depth, kCode * (codec.max_depth - codec.min_depth));
  return equal.to(torch::kFloat64).mean().item<double>();
}

void expect_read_back(const Quantization& quantization, const Contract& contract,
                      const Pictures& pictures, const fs::path& file, const std::string& name) {
  const auto read = open_graph(file, contract.input.size.at(0), contract.input.size.at(1));
  const auto expected = depth_of(quantization.graph, contract);
  const auto got = depth_of(read, contract);
  for (size_t index = 0; index < pictures.count; ++index) {
    const auto image = pictures.at(index);
    const double equal = equal_pixels(got(image), expected(image), contract.codec);
    if (equal >= kEqualPixels) continue;
    refuse(name,
           fmt::format("a file that is the quantized network on {:.1f} % of the pixels, read back",
                       100 * kEqualPixels),
           fmt::format("{:.2f} % of {}", 100 * equal, name_of(index, pictures)),
           "this is a fault of the program: please report it");
  }
}

std::vector<DensePrediction> predictions_of(const fs::path& file, int64_t batch,
                                            const Pictures& pictures, const std::string& name) {
  const auto model = open_onnx(file, {.as_written = true});
  std::vector<DensePrediction> predictions;
  run_pictures(*model, pictures, batch,
               [&](size_t index, const torch::Tensor&, const DensePrediction& prediction) {
                 if (!prediction.depth.isfinite().all().item<bool>()) {
                   refuse(name, "finite depth", "NaN or infinity in " + name_of(index, pictures),
                          "this runtime cannot compute the profile; choose another");
                 }
                 predictions.push_back(prediction);
               });
  return predictions;
}

}  // namespace

void expect_no_clipped_winners(const graph::Graph& graph, const Pictures& pictures,
                               const std::string& file) {
  for (size_t index = 0; index < pictures.count; ++index) {
    const int64_t clipped = graph::count_clipped_winners(graph, pictures.at(index));
    if (clipped == 0) continue;
    refuse(file, "a winning logit above the lowest code of the logits in every pixel",
           fmt::format("{} pixels of {} where it is clipped, so that the level is the nearest one",
                       clipped, name_of(index, pictures)),
           "calibrate with pictures like this one");
  }
}

DepthError prove_file(const Quantization& quantization, const Contract& contract,
                      const fs::path& file, const std::vector<std::string>& value_names,
                      const Pictures& pictures, const std::string& name) {
  const torch::NoGradGuard no_grad;
  const auto& graph = quantization.graph;
  expect_read_back(quantization, contract, pictures, file, name);
  const auto names = file_values(graph, value_names, OnnxFile(file).model(), name);
  prove_layers(
      graph, names,
      [&](const std::vector<std::string>& exposed) {
        return open_onnx(file, {.as_written = true, .exposed = exposed});
      },
      pictures, name);
  const auto predictions = predictions_of(file, graph.input().shape.at(0), pictures, name);
  return depth_error(predictions,
                     predict_all(depth_of(quantization.reference, contract), pictures));
}

}  // namespace dualdepth::quantize
