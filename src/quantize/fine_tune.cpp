#include "dualdepth/quantize/fine_tune.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/base/log.h"
#include "dualdepth/base/stop_signal.h"
#include "dualdepth/data/dataset.h"
#include "dualdepth/loss/depth_loss.h"
#include "dualdepth/quantize/fake_quantized_net.h"
#include "dualdepth/quantize/quantize_model.h"
#include "dualdepth/runtime/device.h"
#include "dualdepth/runtime/evaluation.h"
#include "dualdepth/runtime/network_pictures.h"
#include "dualdepth/runtime/network_predictor.h"
#include "dualdepth/train/bad_steps.h"
#include "dualdepth/train/optimizer.h"
#include "dualdepth/train/run_log.h"
#include "dualdepth/train/run_start.h"
#include "dualdepth/train/schedule.h"
#include "dualdepth/train/step_batches.h"
#include "dualdepth/train/train_step.h"

namespace dualdepth::quantize {
namespace {

namespace fs = std::filesystem;

constexpr size_t kCheckedPictures = 4;  // that the file is run on before it appears

QuantizeOptions options_of(const FakeQuantizeOptions& fake) {
  QuantizeOptions options;
  options.profile = fake.profile;
  options.weights =
      fake.profile == OnnxProfile::kNpu ? WeightGranularity::kPerTensor : fake.weights;
  options.ranges = fake.ranges;
  options.judged_pictures = kCheckedPictures;
  return options;
}

// Keys that the training of a float network reads and this one does not.
void warn_of_unused_keys(const RunConfig& config) {
  std::vector<std::string> unused;
  if (config.loss.activation_weight != 0) unused.push_back("loss.activation_weight");
  if (config.loss.scale_weights != LossOptions().scale_weights) {
    unused.push_back("loss.scale_weights");
  }
  if (config.trainer.ema_decay != 0) unused.push_back("trainer.ema_decay");
  if (config.trainer.precision != Precision::kFloat32) unused.push_back("trainer.precision");
  if (config.device == DeviceKind::kCuda) unused.push_back("device");
  for (const auto& key : unused) {
    spdlog::warn(
        "{}: not used in fine-tuning, which computes in float32 on the CPU, trains the "
        "finest scale and keeps the best step",
        key);
  }
}

ModelOptions categorical_model(const CodecOptions& codec) {
  ModelOptions model;
  model.params.codec = codec;
  return model;
}

// The graph with the least abs_rel so far.
struct Best {
  graph::Graph graph;
  DepthMetrics metrics;
  int64_t step = 0;
};

class FineTuning {
 public:
  // Opens all that the run reads; writes nothing.
  explicit FineTuning(const RunConfig& config)
      : config_(config),
        dataset_(open_training_data(config)),
        model_(open_float_model(
            config.quantize.checkpoint,
            graph::Shape{1, 3, config.data.image_shape.at(0), config.data.image_shape.at(1)})),
        batches_(dataset_, config, /*pin_memory=*/false),
        length_(batches_.run_length(config.trainer)),
        loss_(categorical_model(model_.contract.codec), config.loss) {
    if (const HeadKind head = model_.contract.head_kind(); head != HeadKind::kCategorical) {
      throw Error({.subject = "quantize.checkpoint",
                   .expected = "a network with a categorical head to fine-tune",
                   .got = std::string(enum_name(head)),
                   .fix = "quantize it without fine-tuning"});
    }
    if (config.data.val_split.empty()) {
      throw Error({.subject = "data.val_split",
                   .expected = "a split that fine-tuning is compared with quantization alone on",
                   .got = "none",
                   .fix = "name one; only a file that is better on it is worth writing"});
    }
    const auto data = with_ground_truth_of(find_protocol(config.evaluation.protocol), config.data);
    validation_ = open_dataset(data, SplitRole::kValidation);
  }

  FineTuneResult run() {
    open_run_folder();
    const LogFile log_file(fs::path(config_.output_dir) / "log.txt");
    warn_of_unused_keys(config_);
    Quantization quantization =
        quantize_graph(model_.graph, model_.contract, pictures(), options_of(config_.quantize));
    FineTuneResult result{.file = fs::path(config_.output_dir) / "int8.onnx"};
    result.before = measure(quantization.graph, 0);
    Best best{quantization.graph, result.before, 0};
    const FakeQuantizedNet net(quantization);
    train(net, best, result);
    result.after = best.metrics;
    result.best_step = best.step;
    quantization.graph = std::move(best.graph);
    write_quantized(quantization, model_.contract, pictures().spread(kCheckedPictures),
                    config_.quantize.profile, result.file);
    return result;
  }

 private:
  static std::shared_ptr<const Dataset> open_training_data(const RunConfig& config) {
    std::shared_ptr<const Dataset> dataset = open_dataset(config.data, SplitRole::kTrain);
    require_trainable_pixel(*dataset, config);
    return dataset;
  }

  Pictures pictures() const {
    const auto all = dataset_pictures(dataset_, model_.input());
    return all.spread(static_cast<size_t>(config_.quantize.pictures));
  }

  void open_run_folder() const {
    make_writable_folder(config_.output_dir);
    write_file_atomically(fs::path(config_.output_dir) / kRunConfigFile, to_yaml(config_));
  }

  DepthMetrics measure(const graph::Graph& graph, int64_t step) const {
    DensePredictor predictor(depth_of(graph, model_.contract), model_.contract, c10::kCPU);
    const auto metrics = evaluate(predictor, *validation_, config_.evaluation).summary;
    spdlog::info("in 8 bits at step {}: abs_rel {:.4f}  rmse {:.3f}  d1 {:.4f}", step,
                 metrics.abs_rel, metrics.rmse, metrics.d1);
    return metrics;
  }

  void keep_if_better(const FakeQuantizedNet& net, int64_t step, Best& best) const {
    graph::Graph graph = net.quantized();
    const DepthMetrics metrics = measure(graph, step);
    if (metrics.abs_rel < best.metrics.abs_rel) best = {std::move(graph), metrics, step};
  }

  void train(const FakeQuantizedNet& net, Best& best, FineTuneResult& result) {
    const StopSignal stop;
    Optimizer optimizer(config_.optimizer, net.parameters());
    const auto batch_loss = [&](const Batch& batch) {
      const auto heads = net(batch.image, batch.pixels);
      return loss_(heads.integer_logits, heads.fraction_logits, batch.depths);
    };
    TrainStep take_step(batch_loss, {}, optimizer, config_.trainer.clip_norm);
    RunLog log(config_.output_dir, 0, length_.total_steps, config_.trainer.log_every);
    RunPosition position;
    batches_.start_at(position);
    while (position.step < length_.total_steps && !stop.requested()) {
      const auto batches = batches_.next(position);
      const double scale = learning_rate_scale(config_.schedule, length_, position.step);
      const StepResult step = take_step(batches, scale);
      ++position.step;
      note_outcome(step, batches, config_, position);
      int64_t images = 0;
      for (const Batch& batch : batches) images += batch.size();
      log.add_step({.step = position.step,
                    .epoch = position.epoch,
                    .lr = config_.optimizer.lr * scale,
                    .images = images,
                    .seconds_waited = batches_.seconds_waited(),
                    .skipped_steps = position.skipped_steps},
                   step);
      const int64_t every = config_.trainer.validate_every;
      if (every > 0 && position.step % every == 0 && position.step < length_.total_steps) {
        keep_if_better(net, position.step, best);
      }
    }
    if (position.step > 0) keep_if_better(net, position.step, best);
    result.steps = position.step;
    result.was_interrupted = position.step < length_.total_steps;
  }

  const RunConfig& config_;
  std::shared_ptr<const Dataset> dataset_;
  FloatModel model_;
  StepBatches batches_;
  RunLength length_;
  DepthLoss loss_;
  std::unique_ptr<Dataset> validation_;
};

}  // namespace

FineTuneResult fine_tune(const RunConfig& config) {
  set_compute_threads(config.threads);
  return FineTuning(config).run();
}

}  // namespace dualdepth::quantize
