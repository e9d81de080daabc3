#include "dualdepth/train/metrics_log.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

using nlohmann::ordered_json;

constexpr double kLargestExactInteger = 9007199254740992.0;  // 2^53

// The lines of an earlier run up to that step; a last line cut short by a kill is dropped too.
std::string lines_until(const std::filesystem::path& file, int64_t step) {
  std::ifstream stream(file);
  std::string kept;
  for (std::string line; std::getline(stream, line);) {
    const auto row = ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!row.is_object() || !row.contains("step") || !row["step"].is_number()) continue;
    if (row["step"].get<double>() <= static_cast<double>(step)) kept += line + '\n';
  }
  return kept;
}

ordered_json number(double value) {
  const bool whole = std::nearbyint(value) == value && std::abs(value) < kLargestExactInteger;
  return whole ? ordered_json(static_cast<int64_t>(value)) : ordered_json(value);
}

}  // namespace

MetricsLog::MetricsLog(std::filesystem::path file, int64_t keep_until) : file_(std::move(file)) {
  write_file_atomically(file_, lines_until(file_, keep_until));
  stream_.open(file_, std::ios::app);
}

void MetricsLog::add(int64_t step, const MetricRow& row) {
  ordered_json line{{"step", step}};
  for (const auto& [name, value] : row) {
    if (std::isfinite(value)) line[name] = number(value);
  }
  stream_ << line.dump() << '\n';
  stream_.flush();
  if (!stream_) {
    throw Error({.subject = file_.string(),
                 .expected = "to append to this file",
                 .got = "a failed write",
                 .fix = "free some disk space or check the folder's permissions"});
  }
}

}  // namespace dualdepth
