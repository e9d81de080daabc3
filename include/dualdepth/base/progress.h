#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>

namespace dualdepth {

// One live line for long work on standard error: rewritten in place on a terminal (at most 10 times
// a second), a plain line every 10 s otherwise. Silent when the log is quiet. Log lines may come
// between; several threads may report.
//
//   predict  128/1000  12.4/s  ETA 0:01:10  <detail>
class ProgressLine {
 public:
  // `total` 0: unknown, no ETA. `already_done` was done before, say in a run that is resumed, and
  // does not count for the speed.
  ProgressLine(std::string label, size_t total, size_t already_done = 0);

  // Leaves the last line standing.
  ~ProgressLine();

  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void update(size_t done, std::string_view detail = "");

 private:
  using Clock = std::chrono::steady_clock;

  std::string line(size_t done, double elapsed, std::string_view detail) const;

  const std::string label_;
  const size_t total_;
  const size_t already_done_;
  const bool on_terminal_;
  const Clock::time_point start_;
  std::mutex mutex_;
  Clock::time_point last_shown_;
  bool line_open_ = false;
};

// "0:01:10" from seconds.
std::string format_duration(double seconds);

}  // namespace dualdepth
