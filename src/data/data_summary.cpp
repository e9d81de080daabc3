#include "dualdepth/data/data_summary.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "dualdepth/base/error.h"
#include "dualdepth/base/parallel.h"
#include "dualdepth/base/progress.h"

namespace dualdepth {
namespace {

constexpr double kStepsPerMetre = 100;

size_t step_of(double metres, size_t steps) {
  const double step = std::floor(metres * kStepsPerMetre);
  return static_cast<size_t>(std::clamp(step, 0.0, static_cast<double>(steps - 1)));
}

DepthHistogram histogram_of(const Sample& sample) {
  DepthHistogram histogram;
  for (int y = 0; y < sample.depth.rows; ++y) {
    const float* row = sample.depth.ptr<float>(y);
    const uchar* mask = sample.valid_mask.empty() ? nullptr : sample.valid_mask.ptr<uchar>(y);
    for (int x = 0; x < sample.depth.cols; ++x) {
      if (row[x] > 0 && (!mask || mask[x] != 0)) histogram.add(row[x]);
    }
  }
  return histogram;
}

}  // namespace

void DepthHistogram::add(float metres) {
  ++steps_[step_of(metres, kSteps)];
  ++count_;
  sum_ += metres;
}

void DepthHistogram::add(const DepthHistogram& other) {
  std::transform(steps_.begin(), steps_.end(), other.steps_.begin(), steps_.begin(), std::plus<>());
  count_ += other.count_;
  sum_ += other.sum_;
}

double DepthHistogram::mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

uint64_t DepthHistogram::count_between(double from, double to) const {
  const auto begin = static_cast<size_t>(std::lround(from * kStepsPerMetre));
  const auto end = std::min(static_cast<size_t>(std::lround(to * kStepsPerMetre)), kSteps);
  uint64_t count = 0;
  for (size_t step = begin; step < end; ++step) count += steps_[step];
  return count;
}

double DepthHistogram::quantile(double share) const {
  const double wanted = share * static_cast<double>(count_);
  uint64_t below = 0;
  for (size_t step = 0; step < kSteps; ++step) {
    below += steps_[step];
    if (below > 0 && static_cast<double>(below) >= wanted) {
      return static_cast<double>(step) / kStepsPerMetre;
    }
  }
  return 0;
}

DataSummary summarize(const Dataset& dataset, int threads, const std::string& label) {
  DataSummary summary;
  summary.samples = dataset.size();
  summary.missing = dataset.missing();
  ProgressLine progress(label, dataset.size());
  std::mutex mutex;
  size_t done = 0;
  parallel_for(dataset.size(), threads, [&](size_t index) {
    Sample sample;
    std::string fault;
    try {
      sample = dataset.load(index);
    } catch (const Error& error) {
      fault = error.what();
    }
    const DepthHistogram histogram = histogram_of(sample);
    const std::lock_guard lock(mutex);
    progress.update(++done);
    if (!fault.empty()) {
      summary.faults.push_back(std::move(fault));
      return;
    }
    ++summary.sizes[{sample.rgb.cols, sample.rgb.rows}];
    summary.pixels += sample.depth.total();
    summary.depth.add(histogram);
    if (histogram.count() == 0) summary.without_depth.push_back(dataset.id(index));
  });
  std::sort(summary.faults.begin(), summary.faults.end());
  std::sort(summary.without_depth.begin(), summary.without_depth.end());
  return summary;
}

}  // namespace dualdepth
