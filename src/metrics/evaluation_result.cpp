#include "dualdepth/metrics/evaluation_result.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "dualdepth/base/error.h"
#include "dualdepth/base/random.h"

namespace dualdepth {
namespace {

DepthMetrics mean_of(const std::vector<SampleMetrics>& samples) {
  DepthMetrics mean;
  DepthMetrics::visit_fields([&](std::string_view, double DepthMetrics::*metric) {
    double sum = 0;
    for (const SampleMetrics& sample : samples) sum += sample.metrics.*metric;
    mean.*metric = sum / static_cast<double>(samples.size());
  });
  return mean;
}

// NumPy's default: linear between the two nearest ranks. Sorts `values`.
double percentile(std::vector<double>& values, double share) {
  std::ranges::sort(values);
  const double rank = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(std::floor(rank));
  const size_t above = std::min(below + 1, values.size() - 1);
  return std::lerp(values[below], values[above], rank - std::floor(rank));
}

template <class Predicate>
MetricAccumulator pairs_where(const PixelPairs& pairs, Predicate counts) {
  std::vector<float> prediction;
  std::vector<float> truth;
  for (size_t i = 0; i < pairs.truth.size(); ++i) {
    if (!counts(i)) continue;
    prediction.push_back(pairs.prediction[i]);
    truth.push_back(pairs.truth[i]);
  }
  MetricAccumulator sums;
  sums.add(prediction, truth);
  return sums;
}

GroupMetrics group_of(std::string name, const MetricAccumulator& sums) {
  GroupMetrics group{.name = std::move(name), .pixels = sums.pixels(), .metrics = {}};
  if (group.pixels > 0) group.metrics = sums.metrics();
  return group;
}

}  // namespace

Evaluation::Evaluation(const Protocol& protocol, ScalingKind scaling)
    : protocol_(protocol), bins_(protocol.bins.size()), distribution_(protocol) {
  result_.protocol = protocol.name;
  result_.scaling = scaling;
}

void Evaluation::add(const std::string& id, const cv::Mat& prediction, const cv::Mat& truth,
                     const cv::Mat& valid_mask, std::span<const ClassInstance> instances) {
  PixelPairs pairs;
  try {
    pairs = select_pixels(protocol_, prediction, truth, valid_mask, result_.scaling);
  } catch (const Error& error) {
    throw Error(id + ": " + error.what());
  }
  result_.non_finite_predictions += pairs.non_finite;
  if (pairs.truth.empty()) {
    result_.samples_without_pixels.push_back(id);
    return;
  }
  MetricAccumulator picture;
  picture.add(pairs.prediction, pairs.truth);
  pooled_.add(picture);
  distribution_.add(pairs.prediction, pairs.truth);
  add_to_bins(pairs);
  add_to_classes(pairs, instances);
  result_.samples.push_back({id, picture.metrics(), picture.pixels(), pairs.scale});
}

void Evaluation::add_to_bins(const PixelPairs& pairs) {
  for (size_t bin = 0; bin < bins_.size(); ++bin) {
    const auto low = static_cast<float>(protocol_.bins[bin].low);
    const auto high = static_cast<float>(protocol_.bins[bin].high);
    bins_[bin].add(pairs_where(
        pairs, [&](size_t i) { return pairs.truth[i] >= low && pairs.truth[i] < high; }));
  }
}

void Evaluation::add_to_classes(const PixelPairs& pairs, std::span<const ClassInstance> instances) {
  std::map<std::string, cv::Mat> seen;  // all instances of a class together
  for (const ClassInstance& instance : instances) {
    cv::Mat& all =
        seen.try_emplace(instance.name, instance.mask.size(), CV_8UC1, cv::Scalar(0)).first->second;
    all |= instance.mask;
    const bool counts = std::ranges::any_of(
        pairs.positions, [&](int32_t position) { return instance.mask.data[position] != 0; });
    if (counts) ++classes_[instance.name].instances;
  }
  for (const auto& [name, mask] : seen) {
    classes_[name].pixels.add(
        pairs_where(pairs, [&](size_t i) { return mask.data[pairs.positions[i]] != 0; }));
  }
}

EvaluationResult Evaluation::result() const {
  if (result_.samples.empty()) {
    throw Error({.subject = "evaluation under " + protocol_.name,
                 .expected = "a pixel with ground truth that counts",
                 .got = fmt::format("none in {} pictures", result_.samples_without_pixels.size()),
                 .fix = "check the ground truth's folder and the protocol's crop and cap"});
  }
  EvaluationResult result = result_;
  result.summary = mean_of(result.samples);
  result.pooled = pooled_.metrics();
  result.pixels = pooled_.pixels();
  result.distribution = distribution_;
  for (size_t bin = 0; bin < bins_.size(); ++bin) {
    result.bins.push_back(group_of(protocol_.bins[bin].name(), bins_[bin]));
  }
  for (const auto& [name, group] : classes_) {
    result.classes.push_back(group_of(name, group.pixels));
    result.classes.back().instances = group.instances;
  }
  return result;
}

MetricIntervals bootstrap_intervals(const std::vector<SampleMetrics>& samples, uint64_t seed,
                                    int resamples) {
  std::vector<DepthMetrics> means;
  std::vector<SampleMetrics> drawn(samples.size());
  for (int i = 0; i < resamples; ++i) {
    RandomStream random({seed, static_cast<uint64_t>(i)});
    for (SampleMetrics& sample : drawn)
      sample.metrics = samples[random.below(samples.size())].metrics;
    means.push_back(mean_of(drawn));
  }
  MetricIntervals intervals;
  std::vector<double> values(means.size());
  DepthMetrics::visit_fields([&](std::string_view, double DepthMetrics::*metric) {
    std::ranges::transform(means, values.begin(), [&](const DepthMetrics& m) { return m.*metric; });
    intervals.low.*metric = percentile(values, 0.025);
    intervals.high.*metric = percentile(values, 0.975);
  });
  return intervals;
}

}  // namespace dualdepth
