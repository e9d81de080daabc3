#pragma once

#include <string>
#include <vector>

#include "dualdepth/study/study_result.h"

namespace dualdepth::study::testing {

// A file that was judged on pictures "0", "1" ... with these values of abs_rel; rmse is ten times
// and d1 1 less abs_rel. Its one range, 0-10 m, has the mean. Its depth lies mean_mm from float's.
inline JudgedFile judged(const std::string& name, const std::vector<double>& abs_rel,
                         double mean_mm = 0) {
  JudgedFile file{.name = name, .result = {}, .to_float = {}};
  file.result.protocol = "eigen-annotated";
  double sum = 0;
  for (size_t i = 0; i < abs_rel.size(); ++i) {
    SampleMetrics sample{.id = std::to_string(i), .metrics = {}, .pixels = 10};
    sample.metrics.abs_rel = abs_rel[i];
    sample.metrics.rmse = 10 * abs_rel[i];
    sample.metrics.d1 = 1 - abs_rel[i];
    file.result.samples.push_back(sample);
    sum += abs_rel[i];
  }
  const double mean = sum / static_cast<double>(abs_rel.size());
  file.result.summary.abs_rel = mean;
  file.result.summary.rmse = 10 * mean;
  file.result.summary.d1 = 1 - mean;
  file.result.bins = {{.name = "0-10", .pixels = 5, .metrics = {.abs_rel = mean, .mae = 8 * mean}},
                      {.name = "10-20", .pixels = 0, .metrics = {}}};
  file.to_float.mean_mm = mean_mm;
  file.to_float.median_mm = mean_mm / 2;
  file.to_float.within_1_25 = 0.999;
  file.to_float.histogram[3] = 1;
  file.to_float.bins = {{.name = "0-10", .pixels = 5, .mean_mm = mean_mm},
                        {.name = "10-20", .pixels = 0, .mean_mm = 0}};
  file.ms_per_picture = 12.5;
  file.bytes = 1000;
  return file;
}

// Two variants from three seeds on one data set with four pictures. levels_256 fails from seed 2.
inline StudyResult result_of_two() {
  StudyConfig study{
      .name = "heads",
      .output_dir = {},
      .seeds = {0, 1, 2},
      .reference = "one_sigmoid",
      .judge = {},
      .variants = {{.name = "one_sigmoid", .about = "the <baseline>"},
                   {.name = "levels_256", .overrides = {{"model.params.max_depth", "80"}}}},
      .data = {{.name = "roads", .base = "base.yaml"}}};
  const std::vector<std::vector<double>> sigmoid{
      {.10, .14, .16, .20}, {.12, .14, .14, .16}, {.11, .14, .15, .14}};
  const std::vector<std::vector<double>> levels{{.09, .12, .13, .16}, {.09, .12, .13, .16}};
  std::vector<RunResult> runs;
  for (size_t seed = 0; seed < 3; ++seed) {
    for (const char* name : {"one_sigmoid", "levels_256"}) {
      RunResult run{.run = {.variant = name,
                            .data = "roads",
                            .seed = static_cast<int64_t>(seed),
                            .config = {},
                            .folder = {}}};
      const auto& values = std::string(name) == "one_sigmoid" ? sigmoid : levels;
      if (seed < values.size()) {
        std::vector<double> worse = values[seed];
        for (double& value : worse) value += 0.01;
        run.files = {judged("float", values[seed]),
                     judged("int8_per_tensor_as_written", worse, 40.0 + static_cast<double>(seed))};
        run.cost = NetworkCost{.parameters = 14'000'000,
                               .macs = 2'500'000'000,
                               .head_macs = 900'000'000,
                               .handed_out_bytes = 61'440,
                               .handed_out_values = 61'440};
        run.images_per_s = 8;
      } else {
        run.error = "train: no <luck>";
      }
      runs.push_back(std::move(run));
    }
  }
  StudyResult result{.study = study, .runs = runs, .summary = {}};
  result.summary = summarize(study, runs);
  return result;
}

}  // namespace dualdepth::study::testing
