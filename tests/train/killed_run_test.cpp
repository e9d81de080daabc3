#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/model/tensor_file.h"
#include "dualdepth/train/checkpoint.h"
#include "testing/kitti_tree.h"
#include "testing/program.h"
#include "tiny_run.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using testing::Program;

class KilledRun : public testing::TinyRun {
 protected:
  KilledRun() {
    tree_.add_frames(8);
    RunConfig config = testing::tiny_config();
    config.device = DeviceKind::kCpu;
    config.data = tree_.options();
    config.data.workers = 1;
    config.trainer.max_steps = 9;
    config.trainer.checkpoint_every = 2;
    config.trainer.log_every = 1;
    config.trainer.ema_decay = 0.9;
    config_file_ = tree_.folder().write("run.yaml", to_yaml(config));
  }

  Program start(const std::string& name, const std::string& override_text = "threads=1") const {
    return run(name, {config_file_, "output_dir=" + folder(name).string(), override_text});
  }

  Program resume(const std::string& name) const { return run(name, {"--resume", folder(name)}); }

  std::string output(const std::string& name) const {
    return read_file(tree_.root() / (name + ".txt"));
  }

  fs::path folder(const std::string& name) const { return tree_.root() / name; }
  fs::path last(const std::string& name) const {
    return folder(name) / "checkpoints/last.safetensors";
  }

  // Lines of metrics.jsonl: how far the run is.
  size_t lines(const std::string& name) const {
    const fs::path file = folder(name) / "metrics.jsonl";
    const std::string text = fs::exists(file) ? read_file(file) : "";
    return static_cast<size_t>(std::ranges::count(text, '\n'));
  }

  testing::KittiTree tree_;
  fs::path config_file_;

 private:
  Program run(const std::string& name, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "train");
    const fs::path printed = tree_.root() / (name + ".txt");
    return {testing::program(), std::move(arguments), printed, printed};
  }
};

// Killed right after it began, between checkpoints, and while a checkpoint is being written.
TEST_F(KilledRun, EndsWithTheSameBytesAsOneThatWasNot) {
  ASSERT_EQ(start("straight").wait(), 0) << output("straight");
  for (const size_t lines_before : {1, 4, 6}) {
    Program program = lines_before == 1 ? start("killed") : resume("killed");
    while (!program.has_ended() && lines("killed") < lines_before) {
      std::this_thread::sleep_for(milliseconds(1));
    }
    program.send(SIGKILL);
    program.wait();
  }
  ASSERT_EQ(resume("killed").wait(), 0) << output("killed");

  const NamedTensors straight = read_tensors(SafetensorsFile(last("straight")));
  const NamedTensors killed = read_tensors(SafetensorsFile(last("killed")));
  ASSERT_EQ(straight.size(), killed.size());
  for (const auto& [name, tensor] : straight) {
    EXPECT_TRUE(torch::equal(tensor, killed.at(name))) << name;
  }
  EXPECT_EQ(lines("killed"), lines("straight"));
  size_t files = 0;
  for (const auto& entry : fs::directory_iterator(folder("killed") / "checkpoints")) {
    EXPECT_EQ(entry.path().extension(), ".safetensors") << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 2);  // last and best
}

TEST_F(KilledRun, AFirstSignalEndsItWithTheCommandThatResumes) {
  Program program = start("stopped", "trainer.max_steps=1000000");
  while (!program.has_ended() && lines("stopped") < 1) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  program.send(SIGINT);
  ASSERT_EQ(program.wait(), 0) << output("stopped");
  EXPECT_THAT(output("stopped"),
              HasSubstr("dualdepth train --resume " + folder("stopped").string()));
  EXPECT_GE(open_checkpoint(last("stopped")).metadata["step"], 1);
}

}  // namespace
}  // namespace dualdepth
