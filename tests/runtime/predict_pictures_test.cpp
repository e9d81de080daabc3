#include "dualdepth/runtime/predict_pictures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dualdepth/base/error.h"
#include "dualdepth/io/image.h"
#include "dualdepth/io/npy.h"
#include "testing/temp_folder.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::TempFolder;
using ::testing::ThrowsMessage;

// Says 5 m everywhere, on a map smaller than any picture.
class FiveMetres : public Predictor {
 public:
  Prediction predict(const cv::Mat& rgb) override {
    return {.depth = cv::Mat(32, 32, CV_32FC1, cv::Scalar(5)),
            .level = {},
            .fraction = {},
            .region = {0, 0, rgb.cols, rgb.rows}};
  }
  const Contract& contract() const override { return contract_; }

 private:
  Contract contract_{.input = {.size = {32, 32}}};
};

void write_picture(const fs::path& file, cv::Size size = {64, 48}) {
  fs::create_directories(file.parent_path());
  write_rgb(file, cv::Mat(size, CV_8UC3, cv::Scalar(10, 20, 30)));
}

class PredictPictures : public ::testing::Test {
 protected:
  std::vector<PictureFile> find(std::vector<fs::path> inputs) {
    return find_pictures(inputs, folder_ / "out");
  }

  TempFolder folder_;
};

TEST_F(PredictPictures, FolderInputsKeepTheirTreeBelowTheOutput) {
  write_picture(folder_ / "in/b/2.jpg");
  write_picture(folder_ / "in/a/1.png");
  fs::rename(folder_ / "in/a/1.png", folder_ / "in/a/1.PNG");
  write_picture(folder_ / "single.png");
  folder_.write("in/notes.txt", "no picture");
  const auto files = find({folder_ / "in", folder_ / "single.png"});
  ASSERT_EQ(files.size(), 3u);
  EXPECT_EQ(files[0].output, folder_ / "out/a/1");
  EXPECT_EQ(files[1].output, folder_ / "out/b/2");
  EXPECT_EQ(files[2].output, folder_ / "out/single");
}

TEST_F(PredictPictures, ResultsOfAnEarlierRunAreNoInput) {
  write_picture(folder_ / "1.png");
  write_picture(folder_ / "out/1_color.png");
  EXPECT_EQ(find({folder_.path()}).size(), 1u);
}

TEST_F(PredictPictures, WrongInputsAreNamed) {
  fs::create_directories(folder_ / "empty");
  EXPECT_THAT([&] { find({folder_ / "empty"}); },
              ThrowsMessage<Error>(AllOf(HasSubstr("empty"), HasSubstr("got none"))));
  EXPECT_THAT([&] { find({folder_ / "absent.png"}); },
              ThrowsMessage<Error>(HasSubstr("absent.png")));
  write_picture(folder_ / "in/1.png");
  write_picture(folder_ / "in/1.jpg");
  EXPECT_THAT([&] { find({folder_ / "in"}); },
              ThrowsMessage<Error>(AllOf(HasSubstr("1.png"), HasSubstr("1.jpg"))));
}

TEST_F(PredictPictures, WritesEveryKindAtThePicturesOwnSize) {
  write_picture(folder_ / "in/a.png", {100, 40});
  FiveMetres predictor;
  PredictionFiles wanted;
  wanted.ply = true;
  wanted.camera = Intrinsics{50, 50, 49.5, 19.5};
  predict_pictures(predictor, find({folder_ / "in"}), wanted);
  const cv::Mat depth = read_npy(folder_ / "out/a.npy");
  EXPECT_EQ(depth.size(), cv::Size(100, 40));
  EXPECT_EQ(cv::norm(depth, cv::Mat(40, 100, CV_32FC1, cv::Scalar(5)), cv::NORM_INF), 0);
  EXPECT_EQ(cv::norm(read_depth_png(folder_ / "out/a_depth.png"), depth, cv::NORM_INF), 0);
  EXPECT_EQ(read_rgb(folder_ / "out/a_color.png").size(), cv::Size(100, 40));
  // 4000 points of three floats and three bytes after the header.
  EXPECT_GT(fs::file_size(folder_ / "out/a.ply"), 4000u * 15);
}

TEST_F(PredictPictures, WritesOnlyWhatIsWantedAndTellsProgress) {
  for (const char* name : {"in/1.png", "in/2.png", "in/3.png"}) write_picture(folder_ / name);
  FiveMetres predictor;
  const PredictionFiles wanted{.npy = true, .png16 = false, .color = false};
  std::vector<size_t> progress;
  predict_pictures(predictor, find({folder_ / "in"}), wanted,
                   [&](size_t done) { progress.push_back(done); });
  EXPECT_THAT(progress, ::testing::ElementsAre(1, 2, 3));
  EXPECT_TRUE(fs::exists(folder_ / "out/3.npy"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "out"), {}), 3);
}

TEST_F(PredictPictures, ABadPictureIsNamedAndWhatIsWrittenIsWhole) {
  write_picture(folder_ / "in/1.png");
  folder_.write("in/2.png", "\x89PNG truncated");
  FiveMetres predictor;
  const auto files = find({folder_ / "in"});
  EXPECT_THAT([&] { predict_pictures(predictor, files, {}); },
              ThrowsMessage<Error>(HasSubstr("2.png")));
  EXPECT_EQ(read_npy(folder_ / "out/1.npy").size(), cv::Size(64, 48));
  for (const auto& entry : fs::directory_iterator(folder_ / "out")) {
    EXPECT_EQ(entry.path().filename().string().front(), '1') << entry.path();
  }
}

TEST_F(PredictPictures, PointCloudsNeedIntrinsics) {
  write_picture(folder_ / "in/1.png");
  FiveMetres predictor;
  const auto files = find({folder_ / "in"});
  PredictionFiles wanted;
  wanted.ply = true;
  EXPECT_THAT([&] { predict_pictures(predictor, files, wanted); },
              ThrowsMessage<Error>(HasSubstr("--intrinsics")));
}

}  // namespace
}  // namespace dualdepth
