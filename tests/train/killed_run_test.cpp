#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/model/tensor_file.h"
#include "dualdepth/train/checkpoint.h"
#include "testing/kitti_tree.h"
#include "tiny_run.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

// The real program, as a child process.
class Program {
 public:
  Program(const std::vector<std::string>& arguments, const fs::path& output) {
    std::vector<char*> argv{const_cast<char*>(DUALDEPTH_PROGRAM)};
    for (const std::string& argument : arguments)
      argv.push_back(const_cast<char*>(argument.data()));
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    if (posix_spawn(&process_, argv[0], &actions, nullptr, argv.data(), environ) != 0) process_ = 0;
    posix_spawn_file_actions_destroy(&actions);
  }

  void send(int signal) const { ::kill(process_, signal); }

  bool has_ended() {
    if (!ended_) ended_ = ::waitpid(process_, &status_, WNOHANG) == process_;
    return ended_;
  }

  // The exit code, or minus the signal that ended it.
  int wait() {
    if (!ended_) ::waitpid(process_, &status_, 0);
    ended_ = true;
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_);
  }

 private:
  pid_t process_ = 0;
  int status_ = 0;
  bool ended_ = false;
};

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
    return {{"train", config_file_, "output_dir=" + folder(name).string(), override_text},
            tree_.root() / (name + ".txt")};
  }

  Program resume(const std::string& name) const {
    return {{"train", "--resume", folder(name)}, tree_.root() / (name + ".txt")};
  }

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
  EXPECT_EQ(program.wait(), 0);
  EXPECT_THAT(output("stopped"),
              HasSubstr("dualdepth train --resume " + folder("stopped").string()));
  EXPECT_GE(open_checkpoint(last("stopped")).metadata["step"], 1);
}

}  // namespace
}  // namespace dualdepth
