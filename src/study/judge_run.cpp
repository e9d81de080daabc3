#include "dualdepth/study/judge_run.h"

#include <memory>
#include <string>

#include "dualdepth/base/error.h"
#include "dualdepth/base/progress.h"
#include "dualdepth/data/spread_dataset.h"
#include "dualdepth/runtime/joint_evaluation.h"
#include "dualdepth/study/study_folder.h"

namespace dualdepth::study {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kAsWritten = "_as_written";

struct Candidate {
  std::string name;
  fs::path file;
  bool as_written = false;
};

std::vector<Candidate> candidates(const PlannedRun& run, const JudgeOptions& judge) {
  std::vector<Candidate> all;
  for (const std::string& name : judged_names(judge)) {
    const bool as_written = name.ends_with(kAsWritten);
    const std::string stem = name.substr(0, name.size() - (as_written ? kAsWritten.size() : 0));
    const fs::path file =
        name == kFloat ? judged_checkpoint(run.folder, judge) : run.folder / (stem + ".onnx");
    all.push_back({.name = name, .file = file, .as_written = as_written});
  }
  return all;
}

DepthSource source_of(const Candidate& candidate, const PlannedRun& run) {
  const RuntimeOptions runtime{.device = DeviceKind::kCpu,
                               .threads = run.config.threads,
                               .as_written = candidate.as_written};
  const std::shared_ptr<Predictor> predictor = open_predictor(candidate.file, runtime).predictor;
  return [predictor, evaluation = run.config.evaluation](size_t, const Sample& sample) {
    return predict_depth(*predictor, sample.rgb, evaluation);
  };
}

std::unique_ptr<Dataset> judging_samples(const PlannedRun& run, const JudgeOptions& judge) {
  const auto& config = run.config;
  const auto data = with_ground_truth_of(find_protocol(config.evaluation.protocol), config.data);
  auto all = open_dataset(data, SplitRole::kValidation);
  if (judge.pictures == 0) return all;
  return std::make_unique<SpreadDataset>(std::move(all), static_cast<size_t>(judge.pictures));
}

}  // namespace

nlohmann::ordered_json judge_run(const PlannedRun& run, const JudgeOptions& judge) {
  std::vector<Candidate> present;
  std::vector<DepthSource> sources;
  const auto all = candidates(run, judge);
  for (const Candidate& candidate : all) {
    if (!fs::exists(candidate.file)) continue;
    present.push_back(candidate);
    sources.push_back(source_of(candidate, run));
  }
  const auto dataset = judging_samples(run, judge);
  ProgressLine progress("judge", dataset->size());
  const auto evaluated =
      evaluate_jointly(sources, *dataset, run.config.evaluation, [&](size_t model, size_t done) {
        if (model + 1 == sources.size()) progress.update(done);
      });
  nlohmann::ordered_json result{{"complete", present.size() == all.size()},
                                {"files", nlohmann::ordered_json::array()}};
  for (size_t i = 0; i < present.size(); ++i) {
    result["files"].push_back(to_json(JudgedFile{.name = present[i].name,
                                                 .result = evaluated[i].result,
                                                 .to_float = evaluated[i].to_first,
                                                 .ms_per_picture = evaluated[i].ms_per_picture,
                                                 .bytes = fs::file_size(present[i].file)}));
  }
  return result;
}

std::vector<JudgedFile> judged_files(const PlannedRun& run, const nlohmann::json& result) {
  try {
    std::vector<JudgedFile> files;
    for (const auto& file : result.at("files")) files.push_back(judged_file_from(file));
    return files;
  } catch (const nlohmann::json::exception& error) {
    throw Error({.subject = stage_file(run.folder, kJudgeStage).string(),
                 .expected = "the evaluation of a run",
                 .got = error.what(),
                 .fix = "remove the file: the run is then evaluated again"});
  }
}

}  // namespace dualdepth::study
