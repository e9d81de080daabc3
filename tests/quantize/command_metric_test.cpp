#include "dualdepth/quantize/command_metric.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "dualdepth/base/error.h"
#include "testing/temp_folder.h"

namespace dualdepth::quantize {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

graph::Graph small_graph() {
  graph::Graph graph;
  const auto image = graph.add_input("image", {1, 3, 4, 4});
  graph.set_outputs({{"depth", graph.add(graph::Sigmoid{}, {image}, "b")}});
  return graph;
}

double run(const std::string& command, int seconds = 60) {
  return command_error({command, std::chrono::seconds(seconds)}, Contract(),
                       OnnxProfile::kPortable)(small_graph());
}

TEST(CommandError, IsTheNumberOnTheLastLine) {
  EXPECT_EQ(run("echo loading {model}; echo '  1.25e-2 '; echo"), 0.0125);
  EXPECT_EQ(run(": {model}; printf 0"), 0);
}

// The name of the graph's output is in the file.
TEST(CommandError, TheCandidateIsAnOnnxFile) {
  EXPECT_GT(run("grep -c depth {model}"), 0);
  EXPECT_EQ(run("test -s {model} && echo {model} | grep -c '\\.onnx$'"), 1);
}

TEST(CommandError, RemovesTheCandidateAtItsEnd) {
  const testing::TempFolder folder;
  const auto file = folder / "path";
  run("echo {model} > " + file.string() + "; echo 1");
  std::string path;
  std::ifstream(file) >> path;
  EXPECT_TRUE(path.ends_with("candidate.onnx"));
  EXPECT_FALSE(std::filesystem::exists(path));
}

struct BadCommand {
  const char* name;
  std::string command;
  const char* complaint;
};

void PrintTo(const BadCommand& value, std::ostream* out) { *out << value.name; }

class RefusedCommand : public ::testing::TestWithParam<BadCommand> {};

TEST_P(RefusedCommand, IsOneErrorThatNamesIt) {
  const auto& bad = GetParam();
  EXPECT_THAT([&] { run(bad.command, 1); },
              ThrowsMessage<Error>(AllOf(HasSubstr("--metric " + bad.command + ": expected "),
                                         HasSubstr(bad.complaint))));
}

INSTANTIATE_TEST_SUITE_P(
    All, RefusedCommand,
    ::testing::Values(
        BadCommand{"NoPlaceholder", "echo 1", "a command with {model}"},
        BadCommand{"ExitCode", "echo 1; echo {model} >&2; exit 7", "exit code 0, got 7"},
        BadCommand{"NoSuchProgram", "no_such_program {model}", "exit code 0, got 127"},
        BadCommand{"Nothing", ": {model}", "a number on the last line that it prints, got nothing"},
        BadCommand{"Words", ": {model}; echo abs_rel 0.1", "got \"abs_rel 0.1\""},
        BadCommand{"TwoNumbers", ": {model}; echo 0.1 0.2", "got \"0.1 0.2\""},
        BadCommand{"NotANumber", ": {model}; echo nan", "finite number from 0 on, got nan"},
        BadCommand{"Infinity", ": {model}; echo inf", "got inf"},
        BadCommand{"Negative", ": {model}; echo -0.5", "got -0.5"},
        BadCommand{"Signal", ": {model}; kill -SEGV $$", "the end by signal 11"},
        BadCommand{"TooLong", ": {model}; sleep 100", "within 1 s"}),
    [](const auto& info) { return info.param.name; });

TEST(CommandError, ASignalToThisProcessIsNoError) {
  EXPECT_THROW(run("kill -INT " + std::to_string(::getpid()) + "; sleep 100 # {model}"),
               MetricInterrupted);
}

}  // namespace
}  // namespace dualdepth::quantize
