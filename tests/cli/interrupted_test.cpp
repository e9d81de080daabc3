#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "dualdepth/base/atomic_file.h"
#include "testing/folder_contents.h"
#include "testing/program.h"
#include "testing/wait_until.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::Program;
using testing::wait_until;

// `train` is interrupted in tests/train.
class InterruptedSynthesis : public ::testing::TestWithParam<const char*> {
 protected:
  std::vector<std::string> words(const std::string& frames) const {
    return {"synthesize", "--layout", GetParam(),      "--frames",  frames, "--shape",
            "64x96",      "--out",    folder_ / "set", "--threads", "1"};
  }

  // Whether the set that is being rendered has a file yet.
  bool has_begun() const {
    std::error_code not_yet;
    const fs::recursive_directory_iterator stage(folder_ / "set/.unfinished", not_yet);
    return std::any_of(begin(stage), end(stage),
                       [](const fs::directory_entry& entry) { return entry.is_regular_file(); });
  }

  const testing::TempFolder folder_;
};

TEST_P(InterruptedSynthesis, EndsWith130AndLeavesTheOldSetAsItWas) {
  ASSERT_EQ(testing::run_program(testing::program(), words("4")).exit_code, 0);
  const auto before = testing::folder_contents(folder_ / "set");
  Program program(testing::program(), words("1000"), folder_ / "out.txt", folder_ / "err.txt");
  ASSERT_TRUE(wait_until([&] { return has_begun(); })) << read_file(folder_ / "err.txt");
  program.send(SIGINT);
  EXPECT_EQ(program.wait(), 130);
  EXPECT_THAT(read_file(folder_ / "err.txt"), HasSubstr("stopped; nothing was written"));
  EXPECT_TRUE(testing::folder_contents(folder_ / "set") == before);
}

INSTANTIATE_TEST_SUITE_P(Layouts, InterruptedSynthesis, ::testing::Values("kitti", "ncdb"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace dualdepth
