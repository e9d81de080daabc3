#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "dualdepth/metrics/mean_interval.h"
#include "dualdepth/study/judged_file.h"
#include "dualdepth/study/network_cost.h"
#include "dualdepth/study/planned_run.h"
#include "dualdepth/study/promised_precision.h"

// What a study found, from the results of its runs.
namespace dualdepth::study {

// What one run left in its folder.
struct RunResult {
  PlannedRun run;
  std::vector<JudgedFile> files = {};     // empty: not evaluated yet
  std::optional<NetworkCost> cost = {};   // of the first file in 8 bits
  double images_per_s = 0;                // of the training; 0: unknown
  std::optional<std::string> error = {};  // why the last attempt failed

  const JudgedFile* file(const std::string& name) const;
};

// Estimates of all metrics at once, each with two 95 % intervals that answer different questions:
//
//   mean, half_width  over seeds: how much another training changes it; Student's t
//                     (metrics/mean_interval.h); NaN with one seed
//   low, high         over pictures: how much other pictures change it; the bootstrap over
//                     each picture's mean over seeds (bootstrap_intervals); NaN where the runs do
//                     not have the same pictures
struct MetricEstimates {
  DepthMetrics mean, half_width, low, high;
};

// One range of true depth, means over seeds.
struct BinSummary {
  std::string name;
  MeanInterval abs_rel = {}, mae = {};  // mae in m
  MeanInterval moved_mm = {};  // |depth - float's depth| where float's depth lies in the range
};

// One of judged_names() over all seeds of a variant on a data set.
struct FileSummary {
  std::string name;
  MetricEstimates metrics = {};
  // What it has more than the same file of the reference variant, seed by seed and picture by
  // picture; nothing for the reference itself and without a common seed.
  std::optional<MetricEstimates> difference = {};
  MeanInterval mean_mm = {}, median_mm = {}, within_1_25 = {};  // from float's depth
  std::vector<double> histogram = {};  // DepthDifference::histogram, mean over seeds
  std::vector<BinSummary> bins = {};
  double ms_per_picture = 0;
  double bytes = 0;
};

struct VariantSummary {
  std::string variant;
  std::string data;
  size_t runs = 0;  // planned
  size_t done = 0;  // evaluated
  std::vector<FileSummary> files = {};
  std::optional<NetworkCost> cost = {};
  double images_per_s = 0;  // of training, mean over seeds
  std::vector<PromisedPrecision> promised = {};

  const FileSummary* file(const std::string& name) const;
};

struct StudyResult {
  StudyConfig study;
  std::vector<RunResult> runs;          // in the order of plan_runs()
  std::vector<VariantSummary> summary;  // by data set, then by variant, as the study lists them
};

// Reads what is there of all runs. Throws Error naming a result that cannot be read.
StudyResult study_result(const StudyConfig& study, const std::vector<PlannedRun>& runs);

// The statistics alone, of runs that were read.
std::vector<VariantSummary> summarize(const StudyConfig& study, const std::vector<RunResult>& runs);

}  // namespace dualdepth::study
