#include <fmt/format.h>
#include <gtest/gtest.h>

#include "dualdepth/config/run_config.h"
#include "dualdepth/data/dataset.h"
#include "dualdepth/export/export_model.h"
#include "dualdepth/io/mapped_file.h"
#include "dualdepth/model/dense_prediction.h"
#include "dualdepth/model/tensor_file.h"
#include "dualdepth/runtime/dense_predictor.h"
#include "dualdepth/runtime/evaluation.h"
#include "testing/interop_python.h"
#include "testing/shared_data.h"
#include "testing/temp_folder.h"

// A quantizer that knows nothing of two heads, on a centred file of a network trained on real
// frames.
namespace dualdepth {
namespace {

namespace fs = std::filesystem;

class PlainQuantizer : public ::testing::Test {
 protected:
  static constexpr size_t kCalibrationPictures = 16;

  void SetUp() override {
    DUALDEPTH_NEEDS_INTEROP();
    DUALDEPTH_NEEDS_SHARED("kitti_mini");
    DUALDEPTH_NEEDS_SHARED("weights/resnet18_partial.safetensors");
    config_ = load_run_config(config_file(), overrides());
    train_ = open_dataset(config_.data, SplitRole::kTrain);
    held_out_ = open_dataset(config_.data, SplitRole::kValidation);
  }

  // configs/kitti_mini.yaml by the program, at a third of its resolution to save time.
  void train() const {
    std::vector<std::string> words{"train", config_file().string()};
    for (const auto& word : overrides()) words.push_back(word);
    const auto result = testing::run_program(testing::program(), words);
    ASSERT_EQ(result.exit_code, 0) << result.errors;
  }

  fs::path checkpoint() const { return folder_ / "run/checkpoints/last.safetensors"; }

  // Evenly over the training drives.
  size_t calibration_index(size_t i) const { return i * train_->size() / kCalibrationPictures; }

  std::vector<fs::path> calibration_files() const {
    std::vector<fs::path> files;
    files.reserve(kCalibrationPictures);
    for (size_t i = 0; i < kCalibrationPictures; ++i) {
      files.push_back(train_->files(calibration_index(i)).front());
    }
    return files;
  }

  NetworkPicture network_picture(const Sample& sample) const {
    return to_network_picture(sample.rgb, {.size = config_.data.image_shape});
  }

  void write_pictures(const fs::path& file) const {
    NamedTensors pictures;
    for (size_t i = 0; i < kCalibrationPictures; ++i) {
      const Sample sample = train_->load(calibration_index(i));
      pictures[fmt::format("calibration_{}", i)] = network_picture(sample).image;
    }
    for (size_t i = 0; i < held_out_->size(); ++i) {
      pictures[fmt::format("held_out_{}", i)] = network_picture(held_out_->load(i)).image;
    }
    write_tensors(file, pictures);
  }

  // Of the levels and fractions that the script wrote under this name, on the held-out frames.
  double abs_rel(const NamedTensors& said, const std::string& name) const {
    const DepthCodec codec(config_.model.params.codec);
    const auto depth_of = [&](size_t index, const Sample&) {
      const auto depth = codec.decode(said.at(fmt::format("level_{}_{}", name, index)),
                                      said.at(fmt::format("fraction_{}_{}", name, index)));
      const auto shape = config_.data.image_shape;
      return cv::Mat(static_cast<int>(shape.at(0)), static_cast<int>(shape.at(1)), CV_32F,
                     depth.contiguous().data_ptr<float>())
          .clone();
    };
    return evaluate(depth_of, *held_out_, config_.evaluation).summary.abs_rel;
  }

  // Of the held-out pixels, those where the exported float file's level is the checkpoint's.
  double share_of_equal_levels(const NamedTensors& said) const {
    auto net = load_network(open_checkpoint(checkpoint()));
    int64_t equal = 0;
    int64_t all = 0;
    for (size_t i = 0; i < held_out_->size(); ++i) {
      const auto level = predict_dense(net, network_picture(held_out_->load(i)).image).level;
      equal +=
          (said.at(fmt::format("level_float_{}", i)).squeeze(1) == level).sum().item<int64_t>();
      all += level.numel();
    }
    return static_cast<double>(equal) / static_cast<double>(all);
  }

  RunConfig config_;
  std::unique_ptr<Dataset> train_, held_out_;
  testing::TempFolder folder_;

 private:
  static fs::path config_file() { return testing::source_dir() / "configs/kitti_mini.yaml"; }

  std::vector<std::string> overrides() const {
    const auto shared = [](const char* path) { return testing::shared_path(path).string(); };
    return {"data.root=" + shared("kitti_mini"),
            "data.train_split=" + shared("kitti_mini/splits/train.txt"),
            "data.val_split=" + shared("kitti_mini/splits/val.txt"),
            "model.pretrained=" + shared("weights/resnet18_partial.safetensors"),
            "output_dir=" + (folder_ / "run").string(),
            "data.image_shape=[64, 192]",
            "trainer.max_epochs=4"};
  }
};

TEST_F(PlainQuantizer, KeepsTheDepthOfACentredFile) {
  train();
  if (HasFatalFailure()) return;
  const ExportOptions options{.center_with = calibration_files()};
  const auto report =
      export_checkpoint(open_checkpoint(checkpoint()), options, folder_ / "centred.onnx");
  ASSERT_TRUE(report.check.holds());
  write_pictures(folder_ / "pictures.safetensors");
  const auto result =
      testing::run_interop_script("interop/quantize_plainly.py", folder_ / "pictures.safetensors",
                                  folder_ / "centred.onnx", folder_ / "said.safetensors");
  ASSERT_EQ(result.exit_code, 0) << result.output << result.errors;
  const auto said = read_tensors(SafetensorsFile(folder_ / "said.safetensors"));

  const double share = share_of_equal_levels(said);
  const double in_float = abs_rel(said, "float");
  const double per_channel = abs_rel(said, "channel");
  const double per_tensor = abs_rel(said, "tensor");
  fmt::print("equal levels {:.6f}; abs_rel {:.4f}, per channel {:.4f}, per tensor {:.4f}\n", share,
             in_float, per_channel, per_tensor);
  EXPECT_GE(share, 0.9999);
  EXPECT_LT(in_float, 0.35);  // the network has learnt: 16 epochs at 192x640 reach 0.14
  EXPECT_LE(per_channel, 1.01 * in_float);
  EXPECT_LE(per_tensor, 1.02 * in_float);
}

}  // namespace
}  // namespace dualdepth
