#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "dualdepth/data/synthetic_picture.h"
#include "dualdepth/export/export_model.h"
#include "dualdepth/io/image.h"
#include "dualdepth/model/dense_prediction.h"
#include "dualdepth/runtime/dense_predictor.h"
#include "dualdepth/runtime/exported_model.h"
#include "testing/interop_python.h"
#include "testing/narrow_model.h"
#include "testing/random_checkpoint.h"
#include "testing/street_picture.h"
#include "testing/temp_folder.h"

// Exported files in runtimes and checkers that nobody here wrote, held against the checkpoint.
namespace dualdepth {
namespace {

namespace fs = std::filesystem;

class ExportedFiles : public ::testing::Test {
 protected:
  // Writes checkpoint.safetensors and expected.safetensors: pictures of two sizes (image_0,
  // image_1) with the checkpoint's level, fraction and depth, and the gap between its two best
  // logits.
  void make_checkpoint(const ModelOptions& model = testing::narrow_model()) {
    RunConfig config;
    config.model = model;
    config.data.image_shape = {64, 96};
    testing::write_random_checkpoint(folder_ / "checkpoint.safetensors", config);
    NamedTensors expected;
    add_picture(expected, "0", {64, 96}, 2);
    add_picture(expected, "1", {96, 128}, 1);
    write_tensors(folder_ / "expected.safetensors", expected);
  }

  std::string exported(const ExportOptions& options, const std::string& name) {
    const auto report = export_checkpoint(open_checkpoint(folder_ / "checkpoint.safetensors"),
                                          options, folder_ / name);
    EXPECT_TRUE(report.check.holds()) << report.check.other_levels << " other levels";
    return (folder_ / name).string();
  }

  // Runs tests/interop/SCRIPT with these words.
  static void expect_script(const std::string& script, const std::vector<std::string>& words) {
    std::vector<std::string> all{(testing::source_dir() / "tests" / "interop" / script).string()};
    all.insert(all.end(), words.begin(), words.end());
    const auto result = testing::run_program(testing::interop_python(), all);
    EXPECT_EQ(result.exit_code, 0) << result.output << result.errors;
  }

  std::string expected() const { return (folder_ / "expected.safetensors").string(); }

  testing::TempFolder folder_;

 private:
  void add_picture(NamedTensors& all, const std::string& key, const std::vector<int64_t>& shape,
                   int batch) {
    const torch::NoGradGuard no_grad;
    const InputContract input{.size = shape};
    std::vector<torch::Tensor> images;
    images.reserve(batch);
    for (int i = 0; i < batch; ++i) {
      images.push_back(to_network_picture(testing::street_picture(i), input).image);
    }
    const auto image = torch::cat(images).contiguous();
    auto net = load_network(open_checkpoint(folder_ / "checkpoint.safetensors"));
    const auto dense = predict_dense(net, image);
    all["image_" + key] = image;
    all["depth_" + key] = dense.depth;
    if (!dense.level.defined()) return;
    all["level_" + key] = dense.level;
    all["fraction_" + key] = dense.fraction;
    const auto heads = net->heads(net->features(image).at(0), 0);
    const auto [best, unused] = heads.integer_logits.topk(2, 1);
    all["logits_" + key] = heads.integer_logits;
    all["gap_" + key] = (best.select(1, 0) - best.select(1, 1)).contiguous();
  }
};

TEST_F(ExportedFiles, TorchScriptLoadsInPythonAndGivesTheCheckpointsResult) {
  DUALDEPTH_NEEDS_INTEROP();
  make_checkpoint();
  std::vector<std::string> words{expected()};
  for (const auto outputs : {ModelOutputs::kLevels, ModelOutputs::kLogits, ModelOutputs::kDepth}) {
    const auto name = std::string(enum_name(outputs));
    words.push_back(
        exported({.format = ExportFormat::kTorchScript, .outputs = outputs}, name + ".ts"));
    words.push_back(name);
  }
  expect_script("run_torchscript.py", words);
}

TEST_F(ExportedFiles, EachProfileRunsInOnnxRuntimeAndOpenVino) {
  DUALDEPTH_NEEDS_INTEROP();
  make_checkpoint();
  std::vector<std::string> run{expected()};
  std::vector<std::string> check;
  for (const auto profile : {OnnxProfile::kPortable, OnnxProfile::kOpenVino, OnnxProfile::kNpu}) {
    const auto name = std::string(enum_name(profile));
    const auto file = exported({.profile = profile}, name + ".onnx");
    run.insert(run.end(), {file, "onnxruntime-levels", file, "openvino-levels"});
    check.insert(check.end(), {file, name});
  }
  expect_script("run_onnx.py", run);
  expect_script("check_onnx.py", check);
}

// Its decoder has five convolutions behind an upsampling; export_checkpoint() holds what OpenVINO
// computes against the checkpoint.
TEST_F(ExportedFiles, OfEachProfileAreConvolvedBeforeTheyAreUpsampled) {
  make_checkpoint();
  for (const auto profile : {OnnxProfile::kPortable, OnnxProfile::kOpenVino, OnnxProfile::kNpu}) {
    for (const bool dynamic : {false, true}) {
      if (dynamic && profile == OnnxProfile::kNpu) continue;  // has fixed shapes alone
      const auto file = exported({.profile = profile, .dynamic = dynamic}, "model.onnx");
      const auto model = open_onnx(file, {.profile = true});
      model->run(torch::rand({1, 3, 64, 96}));
      std::map<std::string, int> layers;
      for (const auto& layer : model->layer_times()) {
        ++layers[layer.kind];
        if (layer.kind != "Convolution") continue;
        EXPECT_EQ(layer.name.find("/head_0/"), std::string::npos) << layer.name;
      }
      EXPECT_EQ(layers["ConvolutionBackpropData"], 5) << enum_name(profile);
      EXPECT_EQ(layers["Interpolate"] + layers["Concat"], 0) << enum_name(profile);
    }
  }
}

TEST_F(ExportedFiles, LogitsAndDepthAndAnySize) {
  DUALDEPTH_NEEDS_INTEROP();
  make_checkpoint();
  std::vector<std::string> words{expected()};
  for (const auto outputs : {ModelOutputs::kLevels, ModelOutputs::kLogits, ModelOutputs::kDepth}) {
    const auto name = std::string(enum_name(outputs));
    const auto file = exported({.outputs = outputs, .dynamic = true}, name + ".onnx");
    words.insert(words.end(), {file, "onnxruntime-" + name, file, "openvino-" + name});
  }
  expect_script("run_onnx.py", words);
}

struct Variant {
  const char* name;
  bool dual = true;
  CodecKind codec = CodecKind::kReflected;
  Spacing spacing = Spacing::kLinear;
  double level_smoothing = 0;
  EncoderKind encoder = EncoderKind::kResNet18;
  HeadKind head = HeadKind::kCategorical;
};

class ExportedVariants : public ExportedFiles, public ::testing::WithParamInterface<Variant> {};

TEST_P(ExportedVariants, ComposeTheCheckpointsMetres) {
  DUALDEPTH_NEEDS_INTEROP();
  const Variant variant = GetParam();
  ModelOptions model = testing::narrow_model();
  model.encoder = variant.encoder;
  model.params.use_dual_head = variant.dual;
  model.params.codec.codec = variant.codec;
  model.params.codec.spacing = variant.spacing;
  model.head.level_smoothing = variant.level_smoothing;
  model.head.kind = variant.head;
  make_checkpoint(model);
  const auto file = exported({.outputs = ModelOutputs::kDepth}, "depth.onnx");
  expect_script("run_onnx.py", {expected(), file, "onnxruntime-depth"});
}

INSTANTIATE_TEST_SUITE_P(
    Models, ExportedVariants,
    ::testing::Values(Variant{.name = "Step", .codec = CodecKind::kStep},
                      Variant{.name = "Rounded", .codec = CodecKind::kRounded},
                      Variant{.name = "Continuous", .codec = CodecKind::kContinuous},
                      Variant{.name = "Log", .spacing = Spacing::kLog},
                      Variant{.name = "Inverse", .spacing = Spacing::kInverse},
                      Variant{.name = "Smoothed", .level_smoothing = 3},
                      Variant{.name = "OneHead", .dual = false},
                      Variant{.name = "Sigmoid", .head = HeadKind::kSigmoid},
                      Variant{.name = "Cumulative", .head = HeadKind::kCumulative},
                      Variant{.name = "CumulativeInverse",
                              .spacing = Spacing::kInverse,
                              .head = HeadKind::kCumulative},
                      Variant{.name = "Bottlenecks", .encoder = EncoderKind::kResNet50}),
    [](const auto& info) { return std::string(info.param.name); });

// Sums of 16 groups, and of one, in every profile and as TorchScript.
TEST_F(ExportedFiles, APositionIsTheSumOfTheGroupsOfACumulativeHead) {
  DUALDEPTH_NEEDS_INTEROP();
  ModelOptions model = testing::narrow_model();
  model.head.kind = HeadKind::kCumulative;
  model.head.slope = 0.5;
  model.head.quantile = 0.4;
  make_checkpoint(model);
  std::vector<std::string> run{expected()};
  std::vector<std::string> check;
  for (const auto& [profile, unused] : EnumNames<OnnxProfile>::values) {
    const auto name = std::string(enum_name(profile));
    const auto file = exported({.profile = profile}, name + ".onnx");
    run.insert(run.end(), {file, "onnxruntime-position", file, "openvino-position"});
    if (profile != OnnxProfile::kTensorRt) check.insert(check.end(), {file, name});
  }
  const auto one = exported({.groups = 1, .dynamic = true}, "one.onnx");
  run.insert(run.end(), {one, "onnxruntime-position"});
  expect_script("run_onnx.py", run);
  expect_script("check_onnx.py", check);
  std::vector<std::string> words{expected()};
  for (const auto outputs : outputs_of(HeadKind::kCumulative)) {
    const auto name = std::string(enum_name(outputs));
    words.push_back(
        exported({.format = ExportFormat::kTorchScript, .outputs = outputs}, name + ".ts"));
    words.push_back(name);
  }
  expect_script("run_torchscript.py", words);
}

// Losing logits end at 0, and the levels are the checkpoint's.
TEST_F(ExportedFiles, ACentredIntegerHeadKeepsTheLevels) {
  DUALDEPTH_NEEDS_INTEROP();
  make_checkpoint();
  const fs::path pictures = folder_ / "pictures";
  fs::create_directory(pictures);
  for (int i = 0; i < 4; ++i) {
    const auto rgb = synthetic::render_picture(DatasetKind::kKitti, {96, 64}, i);
    write_rgb(pictures / fmt::format("{}.png", i), rgb);
  }
  const auto levels =
      exported({.profile = OnnxProfile::kNpu, .center_with = {pictures}}, "npu.onnx");
  const auto logits =
      exported({.outputs = ModelOutputs::kLogits, .center_with = {pictures}}, "logits.onnx");
  expect_script("run_onnx.py",
                {expected(), levels, "onnxruntime-levels", logits, "onnxruntime-centred"});
}

}  // namespace
}  // namespace dualdepth
