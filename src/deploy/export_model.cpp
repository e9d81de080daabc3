#include "dualdepth/deploy/export_model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <onnx/onnx_pb.h>

#include <sstream>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/data/synthetic_picture.h"
#include "dualdepth/deploy/equalize.h"
#include "dualdepth/deploy/frozen_trace.h"
#include "dualdepth/deploy/graph_from_trace.h"
#include "dualdepth/deploy/onnx_writer.h"
#include "dualdepth/deploy/passes.h"
#include "dualdepth/io/image.h"
#include "dualdepth/runtime/dense_predictor.h"
#include "dualdepth/runtime/predict_pictures.h"

namespace dualdepth::deploy {
namespace {

namespace fs = std::filesystem;

constexpr int kRenderedPictures = 4;

Shape shape_of(const Checkpoint& checkpoint, const ExportOptions& options) {
  const auto& own = checkpoint.config.data.image_shape;
  const Shape shape = options.shape.value_or(Shape{1, 3, own[0], own[1]});
  const bool fits = shape[0] >= 1 && shape[1] == 3 && shape[2] >= 32 && shape[3] >= 32 &&
                    shape[2] % 32 == 0 && shape[3] % 32 == 0 && shape[2] <= 8192 &&
                    shape[3] <= 8192;
  if (fits) return shape;
  throw Error({.subject = "shape",
               .expected = "Nx3xHxW with H and W multiples of 32 from 32 to 8192",
               .got = fmt::format("{}", fmt::join(shape, "x")),
               .fix = ""});
}

ModelCard card_of(const Checkpoint& checkpoint, const ExportOptions& options, const Shape& shape) {
  return {.outputs = options.outputs,
          .model = checkpoint.config.model,
          .image_shape = {shape[2], shape[3]},
          .kb_crop = checkpoint.config.data.kb_crop};
}

// The pictures of these files and folders, or rendered ones where there are none.
PictureSource pictures_of(const std::vector<fs::path>& inputs, const NetworkInput& input,
                          DatasetKind layout) {
  if (inputs.empty()) {
    const cv::Size size(static_cast<int>(input.image_shape[1]),
                        static_cast<int>(input.image_shape[0]));
    return [=](size_t index) {
      if (index >= kRenderedPictures) return torch::Tensor();
      const auto rgb = synthetic::render_picture(layout, size, static_cast<int>(index));
      return to_network_picture(rgb, {input.model, input.image_shape, false}).image;
    };
  }
  const auto files = find_pictures(inputs, /*out=*/{});
  return [files, input](size_t index) {
    if (index >= files.size()) return torch::Tensor();
    return to_network_picture(read_rgb(files[index].picture), input).image;
  };
}

// A file beside `out` that becomes it when it holds, and is removed otherwise.
class Candidate {
 public:
  explicit Candidate(const fs::path& out)
      : out_(out), path_(out.parent_path() / (".unchecked-" + out.filename().string())) {}
  ~Candidate() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  Candidate(const Candidate&) = delete;
  Candidate& operator=(const Candidate&) = delete;

  const fs::path& path() const { return path_; }
  void accept() const { fs::rename(path_, out_); }

 private:
  fs::path out_, path_;
};

void write_torchscript(DepthNet net, const ModelCard& card, const fs::path& file) {
  const torch::jit::Module module = trace_network(std::move(net), card.outputs);
  std::ostringstream bytes;
  module.save(bytes, {{kModelCardFile, to_json(card)}});
  write_file_atomically(file, bytes.str());
}

void check(const ExportOptions& options) {
  if (options.format != ExportFormat::kOnnx) return;
  if (options.profile == OnnxProfile::kNpu && options.dynamic) {
    throw Error({.subject = "profile npu",
                 .expected = "a fixed shape",
                 .got = "dynamic shapes",
                 .fix = "leave --dynamic out"});
  }
}

}  // namespace

ExportReport export_checkpoint(const Checkpoint& checkpoint, const ExportOptions& options,
                               const fs::path& out) {
  check(options);
  const torch::NoGradGuard no_grad;
  const Shape shape = shape_of(checkpoint, options);
  const ModelCard card = card_of(checkpoint, options, shape);
  const NetworkInput input{card.model, card.image_shape, card.kb_crop};
  const DatasetKind layout = checkpoint.config.data.dataset;
  ExportReport report;
  const Candidate candidate(out);
  std::unique_ptr<ExportedModel> exported;
  if (options.format == ExportFormat::kTorchScript) {
    write_torchscript(load_network(checkpoint), card, candidate.path());
    exported = open_torchscript(candidate.path(), c10::kCPU);
  } else {
    DepthNet net = load_network(checkpoint);
    Graph graph = merge_affine(graph_from_trace(trace_network(net, ModelOutputs::kLogits), shape));
    if (!options.center_with.empty()) {
      report.centring = fit_centring(graph, net, pictures_of(options.center_with, input, layout));
      const NodeId map = graph.node(graph.output("logits")).inputs.at(0);
      graph = equalize_channels(center_logits(graph, *report.centring), map,
                                report.centring->feature_peaks);
    }
    graph = with_outputs(graph, card.model.params, options.outputs);
    report.nodes = static_cast<int64_t>(graph.nodes().size());
    const auto model = to_onnx(graph, card, {options.profile, options.dynamic});
    write_onnx(*model, candidate.path());
    exported = open_onnx(candidate.path());
  }
  DepthNet reference = load_network(checkpoint);
  report.check = check_export(reference, *exported, pictures_of(options.check_with, input, layout));
  report.bytes = fs::file_size(candidate.path());
  if (report.check.holds()) candidate.accept();
  return report;
}

}  // namespace dualdepth::deploy
