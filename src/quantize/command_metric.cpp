#include "dualdepth/quantize/command_metric.h"

#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>

#include "dualdepth/base/command.h"
#include "dualdepth/base/error.h"
#include "dualdepth/onnx/onnx_writer.h"

namespace dualdepth::quantize {
namespace {

namespace fs = std::filesystem;

// A folder for the candidate that is removed with all it holds.
class Workplace {
 public:
  Workplace() {
    std::string pattern = (fs::temp_directory_path() / "dualdepth-metric-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw Error({.subject = fs::temp_directory_path().string(),
                   .expected = "a folder to write candidates to",
                   .got = std::strerror(errno),
                   .fix = "set TMPDIR"});
    }
    folder_ = pattern;
  }
  ~Workplace() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;

  fs::path candidate() const { return folder_ / "candidate.onnx"; }

 private:
  fs::path folder_;
};

[[noreturn]] void fail(const std::string& command, const std::string& expected,
                       const std::string& got) {
  throw Error({.subject = fmt::format("--metric {}", command),
               .expected = expected,
               .got = got,
               .fix = ""});
}

std::string with_model(std::string command, const fs::path& model) {
  const std::string placeholder = kModelPlaceholder;
  const std::string path = shell_quoted(model.string());
  size_t at = 0;
  while ((at = command.find(placeholder, at)) != std::string::npos) {
    command.replace(at, placeholder.size(), path);
    at += path.size();
  }
  return command;
}

// The last line that holds anything, without spaces around it.
std::string last_line(const std::string& output) {
  constexpr const char* kSpace = " \t\r\n";
  const size_t end = output.find_last_not_of(kSpace);
  if (end == std::string::npos) return "";
  const size_t line = output.find_last_of('\n', end);
  const size_t begin = output.find_first_not_of(kSpace, line == std::string::npos ? 0 : line);
  return output.substr(begin, end - begin + 1);
}

double number_of(const std::string& command, const std::string& output) {
  const std::string line = last_line(output);
  double number = 0;
  const char* end = line.data() + line.size();
  const auto [stop, code] = std::from_chars(line.data(), end, number);
  if (line.empty() || code != std::errc() || stop != end) {
    constexpr size_t kShown = 200;
    fail(command, "a number on the last line that it prints",
         line.empty() ? "nothing" : fmt::format("\"{}\"", line.substr(0, kShown)));
  }
  if (!std::isfinite(number) || number < 0) fail(command, "a finite number from 0 on", line);
  return number;
}

double measure(const std::string& command, const std::string& shown,
               std::chrono::seconds time_limit) {
  const CommandResult result = run_command(command, time_limit);
  switch (result.end) {
    case CommandEnd::kStopped:
      throw MetricInterrupted();
    case CommandEnd::kTimedOut:
      fail(shown, fmt::format("an end within {} s (--metric-timeout)", time_limit.count()),
           "a command that was still running");
    case CommandEnd::kSignal:
      fail(shown, "exit code 0", fmt::format("the end by signal {}", result.signal));
    case CommandEnd::kTooMuch:
      fail(shown, fmt::format("at most {} bytes of output", kMaxCommandOutput), "more");
    case CommandEnd::kExited:
      break;
  }
  if (result.exit_code != 0) fail(shown, "exit code 0", fmt::format("{}", result.exit_code));
  return number_of(shown, result.output);
}

}  // namespace

ErrorOf command_error(const CommandMetric& metric, const Contract& contract, OnnxProfile profile) {
  if (metric.command.find(kModelPlaceholder) == std::string::npos) {
    fail(metric.command, "a command with {model}, which becomes the candidate's path", "none");
  }
  const auto workplace = std::make_shared<const Workplace>();
  return [=](const graph::Graph& graph) {
    write_onnx(
        *to_onnx(graph, {.profile = profile, .metadata = {{kContractKey, to_json(contract)}}}),
        workplace->candidate());
    return measure(with_model(metric.command, workplace->candidate()), metric.command,
                   metric.time_limit);
  };
}

}  // namespace dualdepth::quantize
