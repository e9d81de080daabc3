#include "dualdepth/train/trainer.h"

#include <ATen/cpu/Utils.h>
#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/base/log.h"
#include "dualdepth/base/stop_signal.h"
#include "dualdepth/model/weights.h"
#include "dualdepth/runtime/device.h"
#include "dualdepth/train/bad_steps.h"
#include "dualdepth/train/checkpoint_files.h"
#include "dualdepth/train/run_log.h"
#include "dualdepth/train/step_batches.h"
#include "dualdepth/train/train_step.h"
#include "dualdepth/train/validation.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

int64_t image_count(const std::vector<Batch>& batches) {
  int64_t count = 0;
  for (const Batch& batch : batches) count += batch.size();
  return count;
}

// Intel's AVX-512 multiplies bfloat16 no faster than float32, and its convolutions take twice the
// time; AMD's takes two thirds.
bool cpu_multiplies_bfloat16() {
#ifdef __x86_64__
  __builtin_cpu_init();
  if (__builtin_cpu_is("amd") && __builtin_cpu_supports("avx512bf16")) return true;
#endif
  return at::cpu::init_amx();
}

void tell_of_slow_bfloat16(const RunConfig& config, torch::Device device) {
  if (config.trainer.precision != Precision::kBFloat16 || !device.is_cpu()) return;
  if (cpu_multiplies_bfloat16()) return;
  spdlog::warn(
      "trainer.precision: this CPU has no fast instructions for bfloat16; float32 is faster here");
}

class Trainer {
 public:
  // Opens all that the run reads; writes nothing.
  explicit Trainer(const RunStart& start)
      : config_(start.config),
        device_(choose_device(config_.device)),
        batches_(open_training_data(config_), config_, device_.is_cuda()),
        length_(batches_.run_length(config_.trainer)),
        state_(open_state(start, device_)),
        position_(state_.position),
        files_(config_.output_dir) {
    if (!config_.data.val_split.empty()) validation_.emplace(config_, device_);
  }

  TrainResult run();

 private:
  static std::shared_ptr<const Dataset> open_training_data(const RunConfig& config);
  static TrainState open_state(const RunStart& start, torch::Device device);

  bool patience_is_over() const;
  bool is_finished() const { return position_.step >= length_.total_steps || patience_is_over(); }
  bool is_due(int64_t every) const { return every > 0 && position_.step % every == 0; }
  bool validation_is_due() const;
  bool checkpoint_is_due() const;

  void open_run_folder() const;
  void tell_of_masked_pixels(const StepResult& result);
  void validate(RunLog& log);
  void save_checkpoint() const;
  TrainResult result(RunEnd end) const;

  RunConfig config_;
  torch::Device device_;
  StepBatches batches_;
  RunLength length_;
  TrainState state_;
  RunPosition& position_;
  CheckpointFiles files_;
  std::optional<Validation> validation_;
  bool told_of_masked_pixels_ = false;
};

TrainResult Trainer::run() {
  if (is_finished()) return result(RunEnd::kWasFinished);
  const StopSignal stop;
  open_run_folder();
  const LogFile log_file(fs::path(config_.output_dir) / "log.txt");
  tell_of_slow_bfloat16(config_, device_);
  RunLog log(config_.output_dir, position_.step, length_.total_steps, config_.trainer.log_every);
  TrainStep take_step(state_.net, state_.optimizer, config_);
  batches_.start_at(position_);

  bool stops = false;  // asked once a step, so that no signal falls between checkpoint and end
  while (!is_finished() && !stops) {
    const std::vector<Batch> batches = batches_.next(position_);
    const double lr_scale = learning_rate_scale(config_.schedule, length_, position_.step);
    const StepResult step = take_step(batches, lr_scale);
    ++position_.step;
    note_outcome(step, batches, config_, position_);
    tell_of_masked_pixels(step);
    if (step.outcome == StepOutcome::kUpdated) state_.update_average();
    log.add_step({.step = position_.step,
                  .epoch = position_.epoch,
                  .lr = config_.optimizer.lr * lr_scale,
                  .images = image_count(batches),
                  .seconds_waited = batches_.seconds_waited(),
                  .skipped_steps = position_.skipped_steps},
                 step);
    const auto pause = log.pause();
    const bool validated = validation_is_due();
    if (validated) validate(log);
    stops = stop.requested();
    if (validated || checkpoint_is_due() || stops) save_checkpoint();
  }

  if (position_.step >= length_.total_steps) return result(RunEnd::kFinished);
  return result(patience_is_over() ? RunEnd::kStoppedEarly : RunEnd::kInterrupted);
}

std::shared_ptr<const Dataset> Trainer::open_training_data(const RunConfig& config) {
  std::shared_ptr<const Dataset> dataset = open_dataset(config.data, SplitRole::kTrain);
  require_trainable_pixel(*dataset, config);
  return dataset;
}

TrainState Trainer::open_state(const RunStart& start, torch::Device device) {
  if (!start.checkpoint) return start_state(start.config, device);
  TrainState state = resume_state(start.config, device, open_checkpoint(*start.checkpoint));
  spdlog::info("resumes at step {} from {}", state.position.step, start.checkpoint->string());
  return state;
}

bool Trainer::patience_is_over() const {
  const int64_t patience = config_.trainer.early_stop_patience;
  return patience > 0 && position_.validations_since_best >= patience;
}

bool Trainer::validation_is_due() const {
  if (!validation_) return false;
  if (position_.step == length_.total_steps) return true;
  const int64_t every = config_.trainer.validate_every;
  return every > 0 ? is_due(every) : batches_.epoch_is_over(position_);
}

bool Trainer::checkpoint_is_due() const {
  return position_.step == length_.total_steps || is_due(config_.trainer.checkpoint_every) ||
         is_due(config_.trainer.keep_every);
}

void Trainer::open_run_folder() const {
  make_writable_folder(files_.folder());
  remove_abandoned_files(files_.folder());
  write_file_atomically(fs::path(config_.output_dir) / kRunConfigFile, to_yaml(config_));
}

// Says once that part of the ground truth cannot train; metrics.jsonl counts on.
void Trainer::tell_of_masked_pixels(const StepResult& result) {
  if (told_of_masked_pixels_ || result.out_of_range == 0) return;
  told_of_masked_pixels_ = true;
  const CodecOptions& codec = config_.model.params.codec;
  const auto seen = static_cast<double>(result.pixels + result.out_of_range);
  spdlog::info("{:.2g} % of this step's ground truth lies outside {} to {} m and is masked",
               100 * static_cast<double>(result.out_of_range) / seen, codec.min_depth,
               codec.max_depth);
}

void Trainer::validate(RunLog& log) {
  if (!validation_) return;
  DepthNet net = state_.network_to_predict_with();
  const ValidationResult found = validation_->run(net);
  log.add_validation(position_.step, position_.epoch, found);
  const DepthMetrics& metrics = found.evaluation.summary;
  const double value = metric_named(metrics, config_.trainer.monitor);
  if (std::isfinite(value)) {
    note_score(position_, {.step = position_.step, .value = value}, config_.trainer);
  }
  spdlog::info("step {}, epoch {}: {}  abs_rel {:.4f}  rmse {:.3f}  silog {:.2f}  d1 {:.4f}{}",
               position_.step, position_.epoch + 1, found.evaluation.protocol, metrics.abs_rel,
               metrics.rmse, metrics.silog, metrics.d1,
               position_.validations_since_best == 0 ? "  best so far" : "");
}

void Trainer::save_checkpoint() const {
  write_checkpoint(files_.names_for(position_, config_.trainer), state_, config_, length_);
  files_.remove_outranked(position_);
}

TrainResult Trainer::result(RunEnd end) const {
  TrainResult result{.end = end, .step = position_.step, .best = {}, .checkpoint = files_.last()};
  if (!position_.best.empty()) result.best = position_.best.front();
  return result;
}

}  // namespace

TrainResult train(const RunStart& start) {
  set_compute_threads(start.config.threads);
  return Trainer(start).run();
}

}  // namespace dualdepth
