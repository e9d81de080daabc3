#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace dualdepth {

// What one line of metrics.jsonl says besides its step, in the order of the line.
using MetricRow = std::vector<std::pair<std::string, double>>;

// A file with one JSON object a line, such as
//
//   {"step": 20, "epoch": 0, "loss": 4.62, "lr": 0.0002}
//   {"step": 26, "epoch": 1, "val/abs_rel": 0.31}
//
// Numbers only; values that are not finite are left out, so NaN never appears. Whole numbers below
// 2^53 are written without a fraction.
class MetricsLog {
 public:
  // Continues `file`, whose lines beyond step `keep_until` are dropped first: a run resumed at that
  // step writes them again. Throws Error when the file cannot be written.
  MetricsLog(std::filesystem::path file, int64_t keep_until);

  // Appends one line and hands it to the system.
  void add(int64_t step, const MetricRow& row);

 private:
  std::filesystem::path file_;
  std::ofstream stream_;
};

}  // namespace dualdepth
