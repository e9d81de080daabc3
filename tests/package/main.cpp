// An outside program that uses every layer of the library: it starts a network, trains nothing,
// writes its checkpoint, exports it, reads the ONNX file back as the quantizer does, and predicts
// with it. Exit code 0 when the file's depth is the checkpoint's.
#include <dualdepth/codec/depth_codec.h>
#include <dualdepth/export/export_model.h>
#include <dualdepth/quantize/quantize_model.h>
#include <dualdepth/report/evaluation_text.h>
#include <dualdepth/runtime/predictor.h>
#include <dualdepth/train/checkpoint.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <opencv2/core.hpp>

namespace {

namespace fs = std::filesystem;

double worst_round_trip() {
  const dualdepth::DepthCodec codec{dualdepth::CodecOptions{}};
  const torch::Tensor depth = torch::tensor({1.5, 12.25, 60.0});
  const dualdepth::CodecTargets heads = codec.encode(depth);
  return (codec.decode(heads.level, heads.fraction) - depth).abs().max().item<double>();
}

dualdepth::RunConfig small_run() {
  dualdepth::RunConfig config;
  config.threads = 1;
  config.data.image_shape = {32, 64};
  return config;
}

// Share of pixels where the exported file gives another depth than the checkpoint, by 1 mm.
double share_that_differs(const fs::path& checkpoint, const fs::path& onnx) {
  cv::Mat rgb(32, 64, CV_8UC3);
  cv::randu(rgb, 0, 255);
  const dualdepth::RuntimeOptions on_cpu{.device = dualdepth::DeviceKind::kCpu};
  const auto predict = [&](const fs::path& model) {
    return dualdepth::open_predictor(model, on_cpu).predictor->predict(rgb).depth;
  };
  cv::Mat difference;
  cv::absdiff(predict(checkpoint), predict(onnx), difference);
  return cv::countNonZero(difference > 1e-3) / static_cast<double>(difference.total());
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) return 2;
  const fs::path folder = words[1];
  fs::create_directories(folder);
  const std::array checkpoint{folder / "last.safetensors"};
  const fs::path onnx = folder / "depth.onnx";

  const dualdepth::RunConfig config = small_run();
  const auto state = dualdepth::start_state(config, torch::kCPU);
  dualdepth::write_checkpoint(checkpoint, state, config, {.total_steps = 1, .steps_per_epoch = 1});
  const auto report =
      dualdepth::export_checkpoint(dualdepth::open_checkpoint(checkpoint[0]), {}, onnx);
  const auto for_8_bits = dualdepth::quantize::open_float_model(onnx);
  const double differs = share_that_differs(checkpoint[0], onnx);
  const std::string table = dualdepth::evaluation_table(dualdepth::EvaluationResult());

  std::printf("round trip %.1e m, %lld nodes, %.2g of the pixels differ, table of %zu bytes\n",
              worst_round_trip(), static_cast<long long>(for_8_bits.graph.nodes().size()), differs,
              table.size());
  return worst_round_trip() < 1e-4 && report.check.holds() && differs < 0.01 ? 0 : 1;
}
