// What a user can do wrong: exit code 2 and one error that names the subject, what was expected and
// what was found.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "dualdepth/io/image.h"
#include "testing/file_size_limit.h"
#include "testing/kitti_tree.h"
#include "testing/narrow_model.h"
#include "testing/program.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::KittiTree;
using testing::ProgramResult;

using Words = std::vector<std::string>;

void expect_one_error(const ProgramResult& result, const Words& parts) {
  EXPECT_EQ(result.exit_code, 2) << result.errors;
  const size_t error = result.errors.find("error: ");
  ASSERT_NE(error, std::string::npos) << result.errors;
  EXPECT_EQ(result.errors.find("error: ", error + 1), std::string::npos) << result.errors;
  EXPECT_EQ(result.errors.find("internal error"), std::string::npos) << result.errors;
  const std::string message = result.errors.substr(error);
  EXPECT_THAT(message, AllOf(HasSubstr("expected "), HasSubstr("got ")));
  for (const std::string& part : parts) EXPECT_THAT(message, HasSubstr(part));
}

class BadInput : public ::testing::Test {
 protected:
  void SetUp() override {
    tree_.add_frames(4);
    write_config("");
  }

  std::string path(const std::string& name) const { return (tree_.root() / name).string(); }

  // A run of two short steps; `more` is YAML at the top level.
  void write_config(const std::string& more) const {
    tree_.folder().write("run.yaml", "output_dir: " + path("run") +
                                         "\nthreads: 1\ndata:\n  root: " + tree_.root().string() +
                                         "\n  train_split: " + path("train.txt") +
                                         "\n  image_shape: [32, 64]\n  batch_size: 2\n" + more +
                                         testing::kNarrowModelYaml);
  }

  ProgramResult run(const Words& words) const {
    return testing::run_program(testing::program(), words);
  }

  ProgramResult train(const Words& overrides = {}) const {
    Words words = {"train", path("run.yaml"), "trainer.max_steps=2"};
    words.insert(words.end(), overrides.begin(), overrides.end());
    return run(words);
  }

  // A checkpoint of the run of two steps.
  std::string trained() const {
    const ProgramResult result = train();
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return path("run/checkpoints/last.safetensors");
  }

  KittiTree tree_;
};

struct Fault {
  const char* name;
  std::function<void(const KittiTree&)> make;
  Words overrides;
  Words message;
};

std::ostream& operator<<(std::ostream& out, const Fault& fault) { return out << fault.name; }

const std::string kDepth2 = "depth/train/" + KittiTree::drive_depth(2);
const std::string kPicture2 = "raw/" + KittiTree::raw_picture(2);

void cut(const fs::path& file) { fs::resize_file(file, fs::file_size(file) / 2); }
const auto kNothing = [](const KittiTree&) {};

class BadTraining : public BadInput, public ::testing::WithParamInterface<Fault> {};

TEST_P(BadTraining, EndsWithOneErrorAndNoCheckpoint) {
  GetParam().make(tree_);
  expect_one_error(train(GetParam().overrides), GetParam().message);
  EXPECT_FALSE(fs::exists(path("run/checkpoints/last.safetensors")));
}

const Fault kFaults[] = {
    {"WrongType", kNothing, {"data.batch_size=many"}, {"data.batch_size", "many"}},
    {"OutOfRange", kNothing, {"data.batch_size=0"}, {"data.batch_size", "1"}},
    {"MissingSplit", kNothing, {"data.train_split=/nowhere.txt"}, {"/nowhere.txt"}},
    {"MissingPicture",
     [](const KittiTree& tree) { fs::remove(tree.root() / kPicture2); },
     {},
     {"train.txt:3", "0000000002"}},
    {"EmptySplit",
     [](const KittiTree& tree) { tree.folder().write("train.txt", ""); },
     {},
     {"train.txt"}},
    {"SplitLineOfNoKnownKind",
     [](const KittiTree& tree) { tree.folder().write("train.txt", "no such line\n"); },
     {},
     {"train.txt:1", "no such line"}},
    {"TruncatedPng",
     [](const KittiTree& tree) { cut(tree.root() / kPicture2); },
     {},
     {"0000000002.png"}},
    {"TruncatedDepth",
     [](const KittiTree& tree) { cut(tree.root() / kDepth2); },
     {},
     {"groundtruth", "0000000002.png"}},
    {"EightBitDepth",
     [](const KittiTree& tree) {
       write_rgb(tree.root() / kDepth2, cv::Mat(48, 64, CV_8UC1, cv::Scalar(9)));
     },
     {},
     {"0000000002.png", "16-bit", "8-bit"}},
    {"DepthOfAnotherSize",
     [](const KittiTree& tree) {
       tree.add_depth(kDepth2, 9, {60, 40});
     },
     {},
     {"0000000002.png", "64x48", "60x40"}},
    {"NoValidPixel",
     [](const KittiTree& tree) {
       for (int i = 0; i < 4; ++i) tree.add_depth("depth/train/" + KittiTree::drive_depth(i), 0);
     },
     {},
     {"train.txt"}},
    {"PictureSmallerThan32Pixels",
     [](const KittiTree& tree) {
       tree.add_picture(kPicture2, 60, {30, 20});
     },
     {},
     {"0000000002.png", "32", "30x20"}},
    {"ShapeThatIsNoMultipleOf32", kNothing, {"data.image_shape=[40,64]"}, {"image_shape", "40"}},
    {"WeightsThatAreNotThere",
     kNothing,
     {"model.pretrained=/nowhere.safetensors"},
     {"/nowhere.safetensors"}},
    {"FolderThatCannotBeWritten", kNothing, {"output_dir=/proc/run"}, {"/proc/run"}},
};

INSTANTIATE_TEST_SUITE_P(All, BadTraining, ::testing::ValuesIn(kFaults),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST_F(BadInput, AnUnknownKeyIsToldWithTheNearestKnownOne) {
  const ProgramResult result = train({"optimizer.lrr=1"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors,
              HasSubstr("error: override optimizer.lrr: unknown key; did you mean lr?"));
}

TEST_F(BadInput, AllKeysThatAreWrongAreToldTogetherWithTheirLines) {
  write_config("optimiser:\n  lr: 1\nseed: -1\n");
  const ProgramResult result = train();
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.errors, AllOf(HasSubstr("run.yaml:8"), HasSubstr("optimizer"),
                                   HasSubstr("run.yaml:10"), HasSubstr("seed")));
}

TEST_F(BadInput, AConfigurationThatIsNotThere) {
  expect_one_error(run({"train", path("none.yaml")}), {"none.yaml"});
}

TEST_F(BadInput, CudaThatIsNotThere) {
  if (fs::exists("/proc/driver/nvidia")) GTEST_SKIP() << "this machine has NVIDIA's driver";
  expect_one_error(train({"device=cuda"}), {"device: cuda", "GPU"});
}

TEST_F(BadInput, AFullDiskLeavesTheLastCheckpoint) {
  const std::string last = trained();
  const std::string before = read_file(last);
  ProgramResult result;
  {
    const testing::FileSizeLimit limit(1 << 20);
    result = run({"train", "--resume", path("run"), "trainer.max_steps=4"});
  }
  expect_one_error(result, {"last.safetensors"});
  EXPECT_TRUE(read_file(last) == before);
}

TEST_F(BadInput, ACheckpointOfAnotherNetwork) {
  trained();
  expect_one_error(run({"train", "--resume", path("run"), "model.encoder=resnet34"}),
                   {"last.safetensors", "model.encoder: expected resnet18, got resnet34"});
}

TEST_F(BadInput, ARunIsNotWrittenOver) {
  const std::string last = trained();
  const std::string before = read_file(last);
  expect_one_error(train(), {path("run"), "--resume"});
  EXPECT_TRUE(read_file(last) == before);
}

// Headers that lie; every byte of them is checked in tests/io.
TEST_F(BadInput, ModelsWithALyingHeader) {
  const auto file = [&](const std::string& header, uint64_t length) {
    std::string bytes(8, '\0');
    for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(length >> (8 * i));
    tree_.folder().write("lying.safetensors", bytes + header);
    return path("lying.safetensors");
  };
  const std::string past_the_end = R"({"a":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}})";
  const std::string overlap = R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                              R"("b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})";
  const Words picture = {path(kPicture2), "--out", path("out")};
  const auto predict = [&](const std::string& model) {
    return run({"predict", model, picture[0], picture[1], picture[2]});
  };
  expect_one_error(predict(file(past_the_end, past_the_end.size())), {"lying.safetensors"});
  expect_one_error(predict(file(overlap + "123456", overlap.size())), {"lying.safetensors"});
  expect_one_error(predict(file("{}", 100U << 20)), {"lying.safetensors", "104857600"});
  EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(BadInput, WeightsWhoseShapesDoNotFitAreListedTogether) {
  const std::string resnet18 = trained();
  const ProgramResult result = train(
      {"output_dir=" + path("other"), "model.encoder=resnet50", "model.pretrained=" + resnet18});
  EXPECT_EQ(result.exit_code, 2) << result.errors;
  EXPECT_THAT(result.errors, HasSubstr("last.safetensors"));
}

TEST_F(BadInput, PicturesThatCannotBePredicted) {
  const std::string model = trained();
  cut(tree_.root() / kPicture2);
  expect_one_error(run({"predict", model, path(kPicture2), "--out", path("out")}),
                   {"0000000002.png"});
  EXPECT_FALSE(fs::exists(path("out/0000000002.npy")));
  tree_.add_picture("small.png", 60, {31, 40});
  expect_one_error(run({"predict", model, path("small.png"), "--out", path("out")}),
                   {"small.png", "32", "31x40"});
  expect_one_error(run({"predict", model, path("nothing.png"), "--out", path("out")}),
                   {"nothing.png"});
  tree_.add_picture("good.png");
  expect_one_error(run({"predict", model, path("good.png"), "--out", "/proc/out"}), {"/proc/out"});
}

// Sweeps and calibration, in a rendered data set that has both.
class BadVelodyne : public BadInput {
 protected:
  void SetUp() override {
    BadInput::SetUp();
    const ProgramResult made = run({"synthesize", "--layout", "kitti", "--frames", "2", "--seed",
                                    "1", "--shape", "64x96", "--out", path("rendered")});
    ASSERT_EQ(made.exit_code, 0) << made.errors;
  }

  ProgramResult inspect() const {
    return run({"inspect", "data", path("run.yaml"), "data.root=" + path("rendered"),
                "data.train_split=" + path("rendered/splits/train.txt"),
                "data.ground_truth=velodyne", "--out", path("sheet.png")});
  }
};

TEST_F(BadVelodyne, SweepOfABrokenLength) {
  ASSERT_EQ(inspect().exit_code, 0);
  for (const auto& entry : fs::recursive_directory_iterator(tree_.root() / "rendered/raw")) {
    if (entry.path().extension() == ".bin") fs::resize_file(entry, fs::file_size(entry) - 3);
  }
  expect_one_error(inspect(), {".bin", "16 bytes"});
}

TEST_F(BadVelodyne, CalibrationWithoutProjection) {
  const fs::path file = tree_.root() / "rendered/raw/2026_01_01/calib_cam_to_cam.txt";
  std::string text = read_file(file);
  for (size_t at; (at = text.find("P_rect_02")) != std::string::npos;)
    text.replace(at, 9, "Q_rect_02");
  tree_.folder().write("rendered/raw/2026_01_01/calib_cam_to_cam.txt", text);
  expect_one_error(inspect(), {"calib_cam_to_cam.txt", "P_rect_02"});
}

TEST_F(BadInput, WrongUseShowsWhatIsThere) {
  EXPECT_EQ(run({"no_such_verb"}).exit_code, 2);
  EXPECT_EQ(run({"predict"}).exit_code, 2);
  EXPECT_EQ(run({"eval", "model.safetensors", "--protocol", "no_such"}).exit_code, 2);
  const ProgramResult explained = run({"train", "--explain"});
  EXPECT_EQ(explained.exit_code, 0);
  EXPECT_THAT(explained.output, HasSubstr("max_truth_pixels"));
}

}  // namespace
}  // namespace dualdepth
