#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "dualdepth/io/image.h"
#include "testing/kitti_tree.h"
#include "testing/program.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::KittiTree;
using testing::ProgramResult;

class InspectData : public ::testing::Test {
 protected:
  void SetUp() override {
    tree_.add_frames(4);
    tree_.folder().write("run.yaml", "data:\n  root: " + tree_.root().string() +
                                         "\n  train_split: " + path("train.txt") +
                                         "\n  val_split: " + path("train.txt") + "\n");
  }

  std::string path(const std::string& name) const { return (tree_.root() / name).string(); }

  ProgramResult inspect(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"--quiet",        "inspect", "data",
                                          path("run.yaml"), "--out",   path("sheet.png")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return testing::run_program(testing::program(), arguments);
  }

  KittiTree tree_;
};

TEST_F(InspectData, PrintsCountsSizesAndDepthsAndWritesTheSheet) {
  const ProgramResult result = inspect({"--json", path("data.json")});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.errors, IsEmpty());
  EXPECT_THAT(result.output, AllOf(HasSubstr("samples          4"), HasSubstr("4 of 64x48"),
                                   HasSubstr("4 samples stand in both splits")));
  EXPECT_GT(read_image_size(path("sheet.png")).width, 400);
  const auto json = nlohmann::json::parse(read_file(path("data.json")));
  EXPECT_EQ(json["train"]["samples"], 4);
  EXPECT_EQ(json["train"]["sizes"][0]["width"], 64);
  EXPECT_EQ(json["train"]["valid_pixels"], 4 * 16 * 12);
  EXPECT_EQ(json["train"]["mean_depth"], 6.5);  // 5, 6, 7 and 8 m
}

// A fault of the data: exit code 2, one line that says where it lies, what was expected and found.
struct Fault {
  const char* name;
  void (*make)(const KittiTree&);
  std::vector<std::string> message;
};

std::ostream& operator<<(std::ostream& out, const Fault& fault) { return out << fault.name; }

class InspectFaultyData : public InspectData, public ::testing::WithParamInterface<Fault> {};

TEST_P(InspectFaultyData, EndsWithOneErrorThatNamesIt) {
  GetParam().make(tree_);
  const ProgramResult result = inspect();
  EXPECT_EQ(result.exit_code, 2);
  const size_t error = result.errors.find("error: ");
  ASSERT_NE(error, std::string::npos) << result.errors;
  const std::string message = result.errors.substr(error);
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 1) << message;
  EXPECT_THAT(message, AllOf(HasSubstr("expected "), HasSubstr("got ")));
  for (const std::string& part : GetParam().message) EXPECT_THAT(message, HasSubstr(part));
}

const std::string kDepthOfFrame2 = "depth/train/" + KittiTree::drive_depth(2);

INSTANTIATE_TEST_SUITE_P(
    All, InspectFaultyData,
    ::testing::Values(Fault{"EmptySplit",
                            [](const KittiTree& tree) { tree.folder().write("train.txt", "\n"); },
                            {"train.txt: expected"}},
                      Fault{"LineOfNoKnownKind",
                            [](const KittiTree& tree) {
                              tree.folder().write("train.txt", "\nwhat is this line\n");
                            },
                            {"train.txt:2: expected", "`what is this line`"}},
                      Fault{"MissingFile",
                            [](const KittiTree& tree) {
                              std::filesystem::remove(tree.root() / "raw" /
                                                      KittiTree::raw_picture(1));
                            },
                            {"train.txt:2", "image_02/data/0000000001.png"}},
                      Fault{"DepthOfAnotherSize",
                            [](const KittiTree& tree) {
                              tree.add_depth(kDepthOfFrame2, 9, {60, 40});
                            },
                            {"0000000002.png: expected 64x48", "got 60x40"}},
                      Fault{"NoValidPixel",
                            [](const KittiTree& tree) {
                              for (int i = 0; i < 4; ++i) {
                                tree.add_depth("depth/train/" + KittiTree::drive_depth(i), 0);
                              }
                            },
                            {"train.txt: expected depth at some pixel", "none in 4 samples"}},
                      Fault{"EightBitDepth",
                            [](const KittiTree& tree) {
                              write_rgb(tree.root() / kDepthOfFrame2,
                                        cv::Mat(48, 64, CV_8UC1, cv::Scalar(9)));
                            },
                            {"0000000002.png: expected a 16-bit", "8-bit"}}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST_F(InspectData, SkippedSamplesAreNoError) {
  std::filesystem::remove(tree_.root() / "raw" / KittiTree::raw_picture(1));
  const ProgramResult result = inspect({"data.missing=skip"});
  EXPECT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr("samples          3"), HasSubstr("files missing (1)"),
                                   HasSubstr("0000000001.png")));
}

TEST_F(InspectData, HelpShowsPurposeDefaultsAndAnExample) {
  const ProgramResult result =
      testing::run_program(testing::program(), {"inspect", "data", "--help"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("what is missing"), HasSubstr("contact_sheet.png"),
                    HasSubstr("Example: dualdepth inspect data configs/kitti_mini.yaml")));
  EXPECT_THAT(result.errors, IsEmpty());
}

}  // namespace
}  // namespace dualdepth
