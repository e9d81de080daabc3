#include "dualdepth/train/step_batches.h"

#include <fmt/format.h>

#include <algorithm>
#include <opencv2/core.hpp>

#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

LoaderOptions loader_options(const Dataset& dataset, const RunConfig& config, bool pin_memory) {
  LoaderOptions options;
  options.data = config.data;
  options.seed = static_cast<uint64_t>(config.seed);
  options.drop_last = dataset.size() >= static_cast<size_t>(config.data.batch_size);
  options.pin_memory = pin_memory;
  return options;
}

}  // namespace

StepBatches::StepBatches(const std::shared_ptr<const Dataset>& dataset, const RunConfig& config,
                         bool pin_memory)
    : loader_(dataset, loader_options(*dataset, config, pin_memory)),
      per_epoch_(loader_.batches_per_epoch()),
      per_step_(std::min(config.trainer.accumulate, per_epoch_)) {}

RunLength StepBatches::run_length(const TrainerOptions& options) const {
  const int64_t steps_per_epoch = per_epoch_ / per_step_;
  return {.total_steps =
              options.max_steps > 0 ? options.max_steps : options.max_epochs * steps_per_epoch,
          .steps_per_epoch = steps_per_epoch};
}

void StepBatches::start_at(const RunPosition& position) {
  loader_.start_epoch(position.epoch, std::min(position.batch, per_epoch_));
}

bool StepBatches::epoch_is_over(const RunPosition& position) const {
  return position.batch + per_step_ > per_epoch_;
}

std::vector<Batch> StepBatches::next(RunPosition& position) {
  if (epoch_is_over(position)) {
    ++position.epoch;
    position.batch = 0;
    loader_.start_epoch(position.epoch);
  }
  std::vector<Batch> batches;
  for (int64_t i = 0; i < per_step_; ++i) {
    if (auto batch = loader_.next()) batches.push_back(std::move(*batch));
    ++position.batch;
  }
  return batches;
}

void require_trainable_pixel(const Dataset& dataset, const RunConfig& config) {
  const CodecOptions& codec = config.model.params.codec;
  for (size_t i = 0; i < dataset.size(); ++i) {
    const Sample sample = dataset.load(i);
    if (sample.depth.empty()) continue;
    cv::Mat in_range;
    cv::inRange(sample.depth, codec.min_depth, codec.max_depth, in_range);
    if (cv::countNonZero(in_range) > 0) return;
  }
  throw Error({.subject = config.data.train_split,
               .expected = fmt::format("pixels with a depth of {} to {} m", codec.min_depth,
                                       codec.max_depth),
               .got = fmt::format("none in {} samples", dataset.size()),
               .fix = "check data.depth_root, model.params.min_depth and model.params.max_depth"});
}

}  // namespace dualdepth
