#include "dualdepth/base/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "dualdepth/base/log.h"

namespace dualdepth {
namespace {

constexpr double kSecondsOnTerminal = 0.1;
constexpr double kSecondsElsewhere = 10;

// A line that wraps cannot be rewritten in place.
size_t terminal_width() {
  struct winsize size = {};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

double seconds_between(std::chrono::steady_clock::time_point from,
                       std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

std::string format_duration(double seconds) {
  const long long whole = std::llround(std::fmax(seconds, 0.0));
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

ProgressLine::ProgressLine(std::string label, size_t total, size_t already_done)
    : label_(std::move(label)),
      total_(total),
      already_done_(already_done),
      on_terminal_(::isatty(STDERR_FILENO) != 0),
      start_(Clock::now()),
      last_shown_(start_) {}

ProgressLine::~ProgressLine() {
  if (line_open_) std::fputc('\n', stderr);
}

std::string ProgressLine::line(size_t done, double elapsed, std::string_view detail) const {
  const double rate = elapsed > 0 ? static_cast<double>(done - already_done_) / elapsed : 0.0;
  std::string text = fmt::format("{}  {}", label_, done);
  if (total_ > 0) text += fmt::format("/{}", total_);
  text += fmt::format("  {:.1f}/s", rate);
  if (total_ > done && rate > 0) {
    text += "  ETA " + format_duration(static_cast<double>(total_ - done) / rate);
  }
  if (!detail.empty()) text += fmt::format("  {}", detail);
  return text;
}

void ProgressLine::update(size_t done, std::string_view detail) {
  if (!spdlog::should_log(spdlog::level::info)) return;
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  const bool is_last = total_ > 0 && done >= total_;
  const double pause = on_terminal_ ? kSecondsOnTerminal : kSecondsElsewhere;
  if (!is_last && seconds_between(last_shown_, now) < pause) return;
  last_shown_ = now;
  std::string text = line(done, seconds_between(start_, now), detail);
  if (!on_terminal_) {
    std::fprintf(stderr, "%s\n", text.c_str());
    return;
  }
  // The cursor waits at the line's start, so that a log line in between writes over it.
  text.resize(std::min(text.size(), terminal_width() - 1));
  std::fprintf(stderr, "%s\033[K\r", text.c_str());
  std::fflush(stderr);
  line_open_ = true;
}

}  // namespace dualdepth
