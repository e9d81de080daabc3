#include "dualdepth/base/progress.h"

#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "dualdepth/base/log.h"

namespace dualdepth {
namespace {

double seconds_between(std::chrono::steady_clock::time_point from,
                       std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

std::string format_duration(double seconds) {
  const auto whole = static_cast<long long>(std::llround(std::fmax(seconds, 0.0)));
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

ProgressLine::ProgressLine(std::string label, size_t total)
    : label_(std::move(label)),
      total_(total),
      on_terminal_(::isatty(STDERR_FILENO) != 0),
      start_(std::chrono::steady_clock::now()),
      last_shown_(start_) {}

ProgressLine::~ProgressLine() {
  if (line_open_) std::fputc('\n', stderr);
}

void ProgressLine::update(size_t done, std::string_view detail) {
  if (!spdlog::should_log(spdlog::level::info)) return;
  const auto now = std::chrono::steady_clock::now();
  const bool last = total_ > 0 && done >= total_;
  if (!last && seconds_between(last_shown_, now) < (on_terminal_ ? 0.1 : 10.0)) return;
  last_shown_ = now;
  const double elapsed = seconds_between(start_, now);
  const double rate = elapsed > 0 ? static_cast<double>(done) / elapsed : 0.0;
  std::string line = fmt::format("{}  {}", label_, done);
  if (total_ > 0) line += fmt::format("/{}", total_);
  line += fmt::format("  {:.1f}/s", rate);
  if (total_ > done && rate > 0) {
    line += "  ETA " + format_duration(static_cast<double>(total_ - done) / rate);
  }
  if (!detail.empty()) line += fmt::format("  {}", detail);
  if (on_terminal_) {
    std::fprintf(stderr, "\r%s\033[K", line.c_str());
    std::fflush(stderr);
    line_open_ = true;
  } else {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
}

}  // namespace dualdepth
