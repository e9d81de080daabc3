#include "dualdepth/export/export_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "dualdepth/io/image.h"
#include "testing/narrow_model.h"
#include "testing/random_checkpoint.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using ::testing::EndsWith;

class ExportModel : public ::testing::Test {
 protected:
  ExportModel() {
    RunConfig config;
    config.model = testing::narrow_model();
    config.data.image_shape = {32, 64};
    testing::write_random_checkpoint(folder_ / "checkpoint.safetensors", config);
  }

  // A picture whose values are `mean` with noise of +-`spread`.
  fs::path picture(const std::string& name, int mean, int spread) {
    fs::create_directories((folder_ / name).parent_path());
    cv::Mat rgb(32, 64, CV_8UC3);
    cv::theRNG().state = 11;
    cv::randu(rgb, mean - spread, mean + spread + 1);
    write_rgb(folder_ / name, rgb);
    return folder_ / name;
  }

  void multiply(const std::string& tensor, double factor) {
    const auto file = folder_ / "checkpoint.safetensors";
    const SafetensorsFile read(file);
    auto tensors = read_tensors(read);
    tensors.at(tensor).mul_(factor);
    write_tensors(file, tensors, read.metadata());
  }

  ExportReport exported(const ExportOptions& options) {
    return export_checkpoint(open_checkpoint(folder_ / "checkpoint.safetensors"), options,
                             folder_ / "out.onnx");
  }

  testing::TempFolder folder_;
};

// Logits that differ by hundreds, centred with a dark picture: in bright ones the Relu behind the
// head clips every logit of some pixels, and there the file's ArgMax returns level 0.
TEST_F(ExportModel, RefusesAFileWhoseReluClipsTheWinnersOfAPicture) {
  multiply("model.decoder.head_0.integer.weight", 100);
  const auto night = picture("night/0.png", 10, 2);
  const auto day = picture("day/0.png", 128, 120);
  const auto refused = exported({.center_with = {night}, .check_with = {night, day}});
  EXPECT_FALSE(refused.check.holds());
  EXPECT_GT(refused.check.clipped_winners, 0);
  EXPECT_THAT(refused.check.clipped_in, EndsWith("day/0.png"));
  EXPECT_GT(refused.check.other_levels, 0);  // the file as it is written has level 0 there
  EXPECT_FALSE(fs::exists(folder_ / "out.onnx"));
  const auto leftover = std::ranges::any_of(fs::directory_iterator(folder_ / "."), [](auto& entry) {
    return entry.path().filename().string().find("dualdepth-tmp") != std::string::npos;
  });
  EXPECT_FALSE(leftover);

  EXPECT_TRUE(exported({.center_with = {day}, .check_with = {day}}).check.holds());
  EXPECT_TRUE(fs::exists(folder_ / "out.onnx"));
}

TEST_F(ExportModel, ProvesAFileForSeveralPicturesAtOnce) {
  const auto report = exported({.profile = OnnxProfile::kNpu, .shape = graph::Shape{3, 3, 32, 64}});
  EXPECT_TRUE(report.check.holds());
  EXPECT_EQ(report.check.pictures, 4);  // rendered
  const auto file = open_onnx(folder_ / "out.onnx", {.as_written = true});
  EXPECT_EQ(file->run(torch::rand({3, 3, 32, 64})).at("level").size(0), 3);
}

TEST_F(ExportModel, TakesPicturesOfOneNameFromSeveralFolders) {
  const std::vector<fs::path> folders{picture("drive_1/data/5.png", 120, 100).parent_path(),
                                      picture("drive_2/data/5.png", 100, 90).parent_path()};
  const auto report = exported({.center_with = folders, .check_with = folders});
  EXPECT_EQ(report.check.pictures, 2);
  EXPECT_EQ(report.centring->pixels, 2 * 32 * 64);
}

}  // namespace
}  // namespace dualdepth
