#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace dualdepth {

// One live line for long work on standard error: rewritten in place on a terminal (at most 10 times
// a second), a plain line every 10 s otherwise. Silent when the log is quiet.
//
//   predict  128/1000  12.4/s  ETA 0:01:10  <detail>
class ProgressLine {
 public:
  // `total` 0: unknown, no ETA.
  ProgressLine(std::string label, size_t total);
  ~ProgressLine();

  void update(size_t done, std::string_view detail = "");

 private:
  std::string label_;
  size_t total_;
  bool on_terminal_;
  bool line_open_ = false;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_shown_;
};

// "0:01:10" from seconds.
std::string format_duration(double seconds);

}  // namespace dualdepth
