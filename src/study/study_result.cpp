#include "dualdepth/study/study_result.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <string_view>

#include "dualdepth/study/judge_run.h"
#include "dualdepth/study/study_folder.h"

namespace dualdepth::study {
namespace {

using Metric = double DepthMetrics::*;
using Samples = std::vector<SampleMetrics>;
using Files = std::vector<const JudgedFile*>;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool same_pictures(const Samples& first, const Samples& other) {
  return std::ranges::equal(first, other, {}, &SampleMetrics::id, &SampleMetrics::id);
}

// The mean over seeds of each picture's metrics; empty where the pictures differ.
Samples mean_samples(const std::vector<Samples>& by_seed) {
  Samples mean = by_seed.front();
  for (size_t s = 1; s < by_seed.size(); ++s) {
    if (!same_pictures(mean, by_seed[s])) return {};
  }
  DepthMetrics::visit_fields([&](std::string_view, Metric metric) {
    for (size_t i = 0; i < mean.size(); ++i) {
      double sum = 0;
      for (const Samples& samples : by_seed) sum += samples[i].metrics.*metric;
      mean[i].metrics.*metric = sum / static_cast<double>(by_seed.size());
    }
  });
  return mean;
}

// summaries and samples: one for each seed.
MetricEstimates estimates(const std::vector<DepthMetrics>& summaries,
                          const std::vector<Samples>& samples) {
  MetricEstimates estimates;
  const Samples mean = mean_samples(samples);
  MetricIntervals pictures;
  if (!mean.empty()) pictures = bootstrap_intervals(mean);
  DepthMetrics::visit_fields([&](std::string_view, Metric metric) {
    std::vector<double> values;
    values.reserve(summaries.size());
    for (const DepthMetrics& summary : summaries) values.push_back(summary.*metric);
    const MeanInterval seeds = mean_interval(values);
    estimates.mean.*metric = seeds.mean;
    estimates.half_width.*metric = seeds.half_width.value_or(kNaN);
    estimates.low.*metric = mean.empty() ? kNaN : pictures.low.*metric;
    estimates.high.*metric = mean.empty() ? kNaN : pictures.high.*metric;
  });
  return estimates;
}

DepthMetrics minus(const DepthMetrics& a, const DepthMetrics& b) {
  DepthMetrics difference;
  DepthMetrics::visit_fields(
      [&](std::string_view, Metric metric) { difference.*metric = a.*metric - b.*metric; });
  return difference;
}

// Of pairs of the same seed; nothing without a pair.
std::optional<MetricEstimates> differences(
    const std::vector<std::pair<const JudgedFile*, const JudgedFile*>>& pairs) {
  if (pairs.empty()) return std::nullopt;
  std::vector<DepthMetrics> summaries;
  std::vector<Samples> samples;
  for (const auto& [file, reference] : pairs) {
    if (file->result.protocol != reference->result.protocol) return std::nullopt;
    summaries.push_back(minus(file->result.summary, reference->result.summary));
    Samples& rows = samples.emplace_back(file->result.samples);
    if (!same_pictures(rows, reference->result.samples)) return std::nullopt;
    for (size_t i = 0; i < rows.size(); ++i) {
      rows[i].metrics = minus(rows[i].metrics, reference->result.samples[i].metrics);
    }
  }
  return estimates(summaries, samples);
}

MeanInterval interval_of(const Files& files, const std::function<double(const JudgedFile&)>& of) {
  std::vector<double> values;
  values.reserve(files.size());
  for (const JudgedFile* file : files) values.push_back(of(*file));
  return mean_interval(values);
}

std::vector<BinSummary> bins_of(const Files& files) {
  std::vector<BinSummary> bins;
  const auto& first = files.front()->result.bins;
  for (size_t b = 0; b < first.size(); ++b) {
    const bool is_everywhere = std::ranges::all_of(files, [&](const JudgedFile* file) {
      const auto& own = file->result.bins;
      return own.size() == first.size() && own[b].name == first[b].name && own[b].pixels > 0 &&
             file->to_float.bins.size() == first.size();
    });
    if (!is_everywhere) continue;
    bins.push_back(
        {.name = first[b].name,
         .abs_rel = interval_of(
             files, [b](const JudgedFile& f) { return f.result.bins[b].metrics.abs_rel; }),
         .mae =
             interval_of(files, [b](const JudgedFile& f) { return f.result.bins[b].metrics.mae; }),
         .moved_mm = interval_of(files, [b](const JudgedFile& f) {
           const RangeDifference& moved = f.to_float.bins[b];
           return moved.pixels > 0 ? moved.mean_mm : kNaN;
         })});
  }
  return bins;
}

FileSummary summary_of(const std::string& name, const Files& files) {
  FileSummary summary{.name = name};
  std::vector<DepthMetrics> summaries;
  std::vector<Samples> samples;
  summary.histogram.resize(DepthDifference::kEdges.size() + 1);
  const auto count = static_cast<double>(files.size());
  for (const JudgedFile* file : files) {
    summaries.push_back(file->result.summary);
    samples.push_back(file->result.samples);
    for (size_t i = 0; i < summary.histogram.size(); ++i) {
      summary.histogram[i] += file->to_float.histogram.at(i) / count;
    }
    summary.ms_per_picture += file->ms_per_picture / count;
    summary.bytes += static_cast<double>(file->bytes) / count;
  }
  summary.metrics = estimates(summaries, samples);
  summary.mean_mm = interval_of(files, [](const JudgedFile& f) { return f.to_float.mean_mm; });
  summary.median_mm = interval_of(files, [](const JudgedFile& f) { return f.to_float.median_mm; });
  summary.within_1_25 =
      interval_of(files, [](const JudgedFile& f) { return f.to_float.within_1_25; });
  summary.bins = bins_of(files);
  return summary;
}

// The runs of one variant on one data set.
std::vector<const RunResult*> runs_of(const std::vector<RunResult>& runs,
                                      const std::string& variant, const std::string& data) {
  std::vector<const RunResult*> own;
  for (const RunResult& one : runs) {
    if (one.run.variant == variant && one.run.data == data) own.push_back(&one);
  }
  return own;
}

const RunResult* of_seed(const std::vector<const RunResult*>& runs, int64_t seed) {
  const auto found =
      std::ranges::find_if(runs, [&](const RunResult* one) { return one->run.seed == seed; });
  return found == runs.end() ? nullptr : *found;
}

VariantSummary summarize_variant(const StudyConfig& study, const std::vector<RunResult>& runs,
                                 const std::string& variant, const std::string& data) {
  VariantSummary row{.variant = variant, .data = data};
  const auto own = runs_of(runs, variant, data);
  const auto reference = runs_of(runs, study.reference, data);
  row.runs = own.size();
  for (const std::string& name : judged_names(study.judge)) {
    Files files;
    std::vector<std::pair<const JudgedFile*, const JudgedFile*>> pairs;
    for (const RunResult* one : own) {
      const JudgedFile* file = one->file(name);
      if (file == nullptr) continue;
      files.push_back(file);
      const RunResult* other = of_seed(reference, one->run.seed);
      const JudgedFile* pair = other == nullptr ? nullptr : other->file(name);
      if (pair != nullptr && pair != file) pairs.emplace_back(file, pair);
    }
    if (files.empty()) continue;
    row.files.push_back(summary_of(name, files));
    row.files.back().difference = differences(pairs);
  }
  size_t timed = 0;
  for (const RunResult* one : own) {
    row.done += one->files.empty() ? 0 : 1;
    if (one->cost) row.cost = one->cost;
    if (one->images_per_s == 0) continue;
    row.images_per_s += one->images_per_s;
    ++timed;
  }
  if (timed > 0) row.images_per_s /= static_cast<double>(timed);
  if (!own.empty()) {
    const RunConfig& config = own.front()->run.config;
    const Protocol protocol =
        with_range(find_protocol(config.evaluation.protocol), config.evaluation.range);
    row.promised = promised_precision(config.model, protocol.bins);
  }
  return row;
}

}  // namespace

const JudgedFile* RunResult::file(const std::string& name) const {
  const auto found = std::ranges::find(files, name, &JudgedFile::name);
  return found == files.end() ? nullptr : &*found;
}

const FileSummary* VariantSummary::file(const std::string& name) const {
  const auto found = std::ranges::find(files, name, &FileSummary::name);
  return found == files.end() ? nullptr : &*found;
}

std::vector<VariantSummary> summarize(const StudyConfig& study,
                                      const std::vector<RunResult>& runs) {
  std::vector<VariantSummary> summary;
  for (const StudyData& data : study.data) {
    for (const StudyVariant& variant : study.variants) {
      summary.push_back(summarize_variant(study, runs, variant.name, data.name));
    }
  }
  return summary;
}

StudyResult study_result(const StudyConfig& study, const std::vector<PlannedRun>& runs) {
  StudyResult result{.study = study, .runs = {}, .summary = {}};
  for (const PlannedRun& run : runs) {
    RunResult one{.run = run};
    if (const auto judged = stage_result(run.folder, kJudgeStage)) {
      one.files = judged_files(run, *judged);
    }
    if (const auto trained = stage_result(run.folder, kTrainStage)) {
      one.images_per_s = trained->value("images_per_s", 0.0);
    }
    for (const WeightGranularity weights : study.judge.weights) {
      const auto quantized = stage_result(run.folder, quantize_stage(weights));
      if (quantized && !one.cost) one.cost = network_cost_from(quantized->at("cost"));
    }
    one.error = last_error(run.folder);
    result.runs.push_back(std::move(one));
  }
  result.summary = summarize(study, result.runs);
  return result;
}

}  // namespace dualdepth::study
