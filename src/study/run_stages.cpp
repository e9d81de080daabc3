#include "dualdepth/study/run_stages.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/base/folder_lock.h"
#include "dualdepth/base/log.h"
#include "dualdepth/base/spread.h"
#include "dualdepth/data/dataset.h"
#include "dualdepth/export/export_model.h"
#include "dualdepth/quantize/quantize_model.h"
#include "dualdepth/report/training_page.h"
#include "dualdepth/runtime/checkpoint.h"
#include "dualdepth/runtime/device.h"
#include "dualdepth/runtime/network_pictures.h"
#include "dualdepth/study/export_preflight.h"
#include "dualdepth/study/judge_run.h"
#include "dualdepth/study/network_cost.h"
#include "dualdepth/study/study_folder.h"
#include "dualdepth/train/checkpoint_files.h"
#include "dualdepth/train/trainer.h"

namespace dualdepth::study {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

constexpr size_t kCentringPictures = 32;

// The mean over what the training logged; 0 when it logged nothing.
double images_per_second(const fs::path& train_folder) {
  std::ifstream lines(train_folder / "metrics.jsonl");
  double sum = 0;
  int64_t count = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto row = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!row.is_object() || !row.contains("images_per_s")) continue;
    sum += row["images_per_s"].get<double>();
    ++count;
  }
  return count > 0 ? sum / static_cast<double>(count) : 0;
}

// The stages of one run.
class Stages {
 public:
  Stages(RunTask task, int threads) : run_(std::move(task.run)), judge_(std::move(task.judge)) {
    if (threads > 0) run_.config.threads = threads;
  }

  RunOutcome run();

 private:
  bool train();
  Json export_onnx() const;
  Json quantize(WeightGranularity weights) const;

  // Does a stage unless it is done. A failure is kept for the end.
  void attempt(const std::string& name, const std::function<Json()>& work);

  void write(const std::string& stage, Json result, Clock::time_point start) const;
  bool is_done(const std::string& stage) const { return stage_is_done(run_.folder, stage); }
  fs::path checkpoint() const { return judged_checkpoint(run_.folder, judge_); }

  PlannedRun run_;
  JudgeOptions judge_;
  std::string failure_;
};

RunOutcome Stages::run() {
  if (!is_done(kTrainStage) && !train()) return RunOutcome::kInterrupted;
  set_compute_threads(run_.config.threads);
  attempt(kExportStage, [&] { return export_onnx(); });
  for (const WeightGranularity weights : judge_.weights) {
    attempt(quantize_stage(weights), [&, weights] { return quantize(weights); });
  }
  attempt(kJudgeStage, [&] { return judge_run(run_, judge_); });
  if (!failure_.empty()) throw Error(failure_);
  return RunOutcome::kDone;
}

void Stages::attempt(const std::string& name, const std::function<Json()>& work) {
  if (is_done(name)) return;
  spdlog::info("stage {}", name);
  const auto start = Clock::now();
  try {
    write(name, work(), start);
  } catch (const std::exception& error) {
    spdlog::error("{}: {}", name, error.what());
    if (failure_.empty()) failure_ = fmt::format("{}: {}", name, error.what());
  }
}

void Stages::write(const std::string& stage, Json result, Clock::time_point start) const {
  result["seconds"] = std::chrono::duration<double>(Clock::now() - start).count();
  write_file_atomically(stage_file(run_.folder, stage), result.dump(1) + "\n");
}

bool Stages::train() {
  spdlog::info("stage {}", kTrainStage);
  const auto start = Clock::now();
  RunStart begin{.config = run_.config, .checkpoint = {}};
  const fs::path last = CheckpointFiles(run_.config.output_dir).last();
  if (fs::exists(last)) begin.checkpoint = last;
  const TrainResult result = dualdepth::train(begin);
  if (result.end == RunEnd::kInterrupted) return false;
  const fs::path folder = run_.config.output_dir;
  if (fs::exists(folder / "metrics.jsonl")) {
    write_file_atomically(folder / "report.html", training_page(folder));
  }
  if (!fs::exists(checkpoint())) {
    throw Error({.subject = checkpoint().string(),
                 .expected = "the checkpoint that judge.checkpoint names",
                 .got = "none",
                 .fix = "the training never validated: judge.checkpoint=last does without"});
  }
  write(kTrainStage, {{"steps", result.step}, {"images_per_s", images_per_second(folder)}}, start);
  return true;
}

Json Stages::export_onnx() const {
  const Checkpoint checkpoint = open_checkpoint(this->checkpoint());
  const ModelOptions& model = run_.config.model;
  ExportOptions options{.profile = judge_.profile};
  const bool has_levels = model.head_kind() == HeadKind::kCategorical &&
                          model.params.codec.codec != CodecKind::kContinuous;
  if (judge_.profile == OnnxProfile::kNpu && has_levels) {
    const auto train = open_dataset(run_.config.data, SplitRole::kTrain);
    for (const size_t index : spread_indices(train->size(), kCentringPictures)) {
      options.center_with.push_back(train->files(index).at(0));
    }
  }
  const fs::path file = run_.folder / "float.onnx";
  const ExportReport report = export_checkpoint(checkpoint, options, file);
  if (!report.check.holds()) {
    throw Error({.subject = file.string(),
                 .expected = "a file that computes what the checkpoint does",
                 .got = fmt::format("{} pixels with another level, {} out of tolerance, {} not "
                                    "finite, {} with a clipped winner",
                                    report.check.other_levels, report.check.out_of_tolerance,
                                    report.check.non_finite, report.check.clipped_winners),
                 .fix = ""});
  }
  return {{"bytes", report.bytes}, {"nodes", report.nodes}};
}

Json Stages::quantize(WeightGranularity weights) const {
  quantize::QuantizeOptions options{.profile = judge_.profile,
                                    .weights = weights,
                                    .ranges = judge_.ranges,
                                    .threads = static_cast<int>(run_.config.threads)};
  const auto is_on = [&](QuantizePart part) {
    return std::ranges::count(judge_.without, part) == 0;
  };
  options.center = is_on(QuantizePart::kCentring);
  options.equalize = is_on(QuantizePart::kEqualization);
  options.correct_bias = is_on(QuantizePart::kBiasCorrection);
  options.round_adaptively = is_on(QuantizePart::kAdaptiveRounding);
  const auto model = quantize::open_float_model(checkpoint());
  const std::shared_ptr<const Dataset> train = open_dataset(run_.config.data, SplitRole::kTrain);
  const graph::Pictures pictures = dataset_pictures(train, model.input())
                                       .spread(static_cast<size_t>(judge_.calibration_pictures));
  const auto quantization =
      quantize::quantize_graph(model.graph, model.contract, pictures, options);
  const fs::path file = run_.folder / (quantize_stage(weights) + ".onnx");
  const auto check = quantize::write_quantized(quantization, model.contract,
                                               pictures.spread(options.judged_pictures),
                                               options.profile, file, &model);
  Json result{{"bytes", check.bytes},
              {"calibration_pictures", pictures.count},
              {"cost", to_json(network_cost(quantization.graph))}};
  for (const auto& stage : quantization.stages) {
    result["mean_mm_after"][stage.name] = 1000 * stage.error.mean;
  }
  return result;
}

}  // namespace

RunOutcome do_run(const fs::path& run_folder, int threads) {
  RunTask task = read_task(run_folder);
  const FolderLock lock(run_folder);
  const LogFile log(run_folder / "log.txt");
  return Stages(std::move(task), threads).run();
}

}  // namespace dualdepth::study
