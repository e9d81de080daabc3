#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/model/tensor_file.h"
#include "dualdepth/train/checkpoint.h"
#include "testing/kitti_tree.h"
#include "testing/program.h"
#include "testing/wait_until.h"
#include "tiny_run.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::Program;
using testing::wait_until;

class KilledRun : public testing::TinyRun {
 protected:
  KilledRun() {
    // Threads that wait sleep: a test beside this one needs the cores.
    ::setenv("OMP_WAIT_POLICY", "passive", /*overwrite=*/0);
    tree_.add_frames(8);
    RunConfig config = testing::tiny_config();
    config.model = ModelOptions();  // a checkpoint is written for long enough to be interrupted
    config.device = DeviceKind::kCpu;
    config.data = tree_.options();
    config.optimizer.type = OptimizerKind::kSgd;
    config.optimizer.momentum = 0.9;
    config.trainer.max_steps = 7;
    config.trainer.checkpoint_every = 2;
    config.trainer.log_every = 1;
    config_file_ = tree_.folder().write("run.yaml", to_yaml(config));
  }

  Program start(const std::string& name, const std::vector<std::string>& overrides) const {
    std::vector<std::string> words{config_file_, "output_dir=" + folder(name).string()};
    words.insert(words.end(), overrides.begin(), overrides.end());
    return run(name, std::move(words));
  }

  Program resume(const std::string& name) const { return run(name, {"--resume", folder(name)}); }

  std::string output(const std::string& name) const {
    return read_file(tree_.root() / (name + ".txt"));
  }

  fs::path folder(const std::string& name) const { return tree_.root() / name; }
  fs::path last(const std::string& name) const {
    return folder(name) / "checkpoints/last.safetensors";
  }

  // Lines of metrics.jsonl: how far the run is. A run that resumes cuts the file while it is read.
  size_t lines(const std::string& name) const {
    std::ifstream file(folder(name) / "metrics.jsonl");
    return static_cast<size_t>(
        std::count(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>(), '\n'));
  }

  // Whether a checkpoint is being written, or its writer was killed while it was.
  bool has_unfinished_checkpoint(const std::string& name) const {
    std::error_code not_there_yet;
    for (const auto& entry : fs::directory_iterator(folder(name) / "checkpoints", not_there_yet)) {
      if (entry.path().extension() != ".safetensors") return true;
    }
    return false;
  }

  // Kills the run "killed" once it is as far as `condition` says.
  void kill_when(Program& program, const std::function<bool()>& condition) const {
    ASSERT_TRUE(wait_until(condition)) << output("killed");
    program.send(SIGKILL);
    ASSERT_EQ(program.wait(), -SIGKILL) << "the run ended before it was killed";
  }

  // Kills the run "killed" while it writes a checkpoint, after at least so many steps.
  void kill_while_writing(Program& program, size_t steps) const {
    ASSERT_NO_FATAL_FAILURE(kill_when(
        program, [&] { return lines("killed") >= steps && has_unfinished_checkpoint("killed"); }));
    ASSERT_TRUE(has_unfinished_checkpoint("killed")) << "the checkpoint was already whole";
  }

  void expect_same_end() const;

  testing::KittiTree tree_;
  fs::path config_file_;

 private:
  Program run(const std::string& name, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "train");
    const fs::path printed = tree_.root() / (name + ".txt");
    return {testing::program(), std::move(arguments), printed, printed};
  }
};

// The runs "straight" and "killed" ended with the same checkpoint and the same log.
void KilledRun::expect_same_end() const {
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

// Killed right after it began, between checkpoints, and while a checkpoint is being written.
TEST_F(KilledRun, EndsWithTheSameBytesAsOneThatWasNot) {
  const std::vector<std::string> options{"threads=1", "data.workers=1"};
  ASSERT_EQ(start("straight", options).wait(), 0) << output("straight");
  for (const size_t steps : {1, 4}) {
    Program program = steps == 1 ? start("killed", options) : resume("killed");
    ASSERT_NO_FATAL_FAILURE(kill_when(program, [&] { return lines("killed") >= steps; }));
  }
  {
    Program program = resume("killed");
    ASSERT_NO_FATAL_FAILURE(kill_while_writing(program, 6));
  }
  ASSERT_EQ(resume("killed").wait(), 0) << output("killed");
  expect_same_end();
}

// Two of an epoch's four batches make a step, so that the checkpoint of step 3 lies inside an
// epoch.
TEST_F(KilledRun, WithSeveralThreadsWorkersAndBatchesAStepEndsWithTheSameBytes) {
  const std::vector<std::string> options{"threads=2", "data.workers=2", "trainer.accumulate=2",
                                         "trainer.checkpoint_every=3",
                                         "trainer.validate_every=100"};
  ASSERT_EQ(start("straight", options).wait(), 0) << output("straight");
  {
    Program program = start("killed", options);
    ASSERT_NO_FATAL_FAILURE(kill_while_writing(program, 6));
  }
  EXPECT_EQ(open_checkpoint(last("killed")).metadata["step"], 3);
  ASSERT_EQ(resume("killed").wait(), 0) << output("killed");
  expect_same_end();
}

TEST_F(KilledRun, AFirstSignalEndsItWith130AndTheCommandThatResumes) {
  Program program = start("stopped", {"trainer.max_steps=1000000"});
  ASSERT_TRUE(wait_until([&] { return lines("stopped") >= 1; })) << output("stopped");
  program.send(SIGINT);
  ASSERT_EQ(program.wait(), 130) << output("stopped");
  EXPECT_THAT(output("stopped"),
              HasSubstr("dualdepth train --resume " + folder("stopped").string()));
  EXPECT_GE(open_checkpoint(last("stopped")).metadata["step"], 1);
}

}  // namespace
}  // namespace dualdepth
