#pragma once

#include <functional>
#include <opencv2/core.hpp>
#include <span>
#include <vector>

#include "dualdepth/runtime/predictor.h"

namespace dualdepth {

struct Latency {
  double median = 0;  // ms
  double p90 = 0;     // ms
  double least = 0;   // ms
};

// Median, 90 % quantile (nearest rank) and least of times in ms.
Latency latency_of(std::vector<double> milliseconds);

struct BenchmarkOptions {
  int warm_up = 5;  // runs of each that do not count
  int runs = 30;
  size_t batch = 1;  // copies of the picture that are predicted together
};

// Time from pictures to depth of several predictors side by side: in each round every one predicts
// the picture options.batch times in one call, so that what else the machine does meets all alike.
// The picture should have the network's own size, or resizing counts too.
std::vector<Latency> benchmark(std::span<Predictor* const> predictors,
                               std::span<const cv::Mat> pictures, const BenchmarkOptions& options);

// The greatest resident memory of a process that does this work, MB of 10^6 bytes; 0 when it fails.
// A copy of this process does it: call before threads are started.
double peak_memory_of(const std::function<void()>& work);

}  // namespace dualdepth
