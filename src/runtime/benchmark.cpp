#include "dualdepth/runtime/benchmark.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace dualdepth {

Latency latency_of(std::vector<double> times) {
  if (times.empty()) return {};
  std::ranges::sort(times);
  const size_t middle = times.size() / 2;
  const double median =
      times.size() % 2 == 1 ? times[middle] : (times[middle - 1] + times[middle]) / 2;
  const auto rank = static_cast<size_t>(std::ceil(0.9 * static_cast<double>(times.size())));
  return {.median = median, .p90 = times[rank - 1], .least = times.front()};
}

std::vector<Latency> benchmark(std::span<Predictor* const> predictors,
                               std::span<const cv::Mat> pictures, const BenchmarkOptions& options) {
  using Clock = std::chrono::steady_clock;
  std::vector<std::vector<double>> times(predictors.size());
  std::vector<std::vector<cv::Mat>> together;
  for (const cv::Mat& picture : pictures) together.emplace_back(options.batch, picture);
  for (int round = -options.warm_up; round < options.runs; ++round) {
    for (size_t i = 0; i < predictors.size(); ++i) {
      const auto start = Clock::now();
      predictors[i]->predict_batch(together[i]);
      const std::chrono::duration<double, std::milli> taken = Clock::now() - start;
      if (round >= 0) times[i].push_back(taken.count());
    }
  }
  std::vector<Latency> latencies;
  latencies.reserve(times.size());
  for (auto& of_one : times) latencies.push_back(latency_of(std::move(of_one)));
  return latencies;
}

double peak_memory_of(const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child < 0) return 0;
  if (child == 0) {
    try {
      work();
    } catch (const std::exception&) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  rusage usage{};
  if (::wait4(child, &status, 0, &usage) != child || status != 0) return 0;
  return static_cast<double>(usage.ru_maxrss) * 1024 / 1e6;
}

}  // namespace dualdepth
