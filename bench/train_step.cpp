// Times the trainer's own step (train/train_step.h) on random pictures and pixels and prints
//
//   img_per_s X    pictures a second over the timed steps
//   peak_mb X      largest resident memory of the process
//
//   build/bench/train_step --batch 2 --density 0.05 [--height 192 --width 640] [--bf16]
//                          [model.encoder=mobilenet_v2 ...]
#include "dualdepth/train/train_step.h"

#include <ATen/ops/rand.h>
#include <ATen/ops/rand_like.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "dualdepth/runtime/device.h"
#include "dualdepth/train/checkpoint.h"

namespace dualdepth {
namespace {

struct BenchOptions {
  int64_t batch = 2;
  double density = 0.05;
  int64_t height = 192;
  int64_t width = 640;
  int64_t threads = 0;
  int64_t steps = 8;
  int64_t warmup = 2;
  bool bf16 = false;
  std::vector<std::string> overrides;
};

BenchOptions parse(int argc, char** argv) {
  BenchOptions options;
  CLI::App program("Pictures a second of the training step on random pictures.", "train_step");
  program.add_option("--batch", options.batch, "Pictures in a batch")->capture_default_str();
  program.add_option("--density", options.density, "Share of pixels with ground truth")
      ->capture_default_str();
  program.add_option("--height", options.height, "px, a multiple of 32")->capture_default_str();
  program.add_option("--width", options.width, "px, a multiple of 32")->capture_default_str();
  program.add_option("--threads", options.threads, "0: all cores")->capture_default_str();
  program.add_option("--steps", options.steps, "Timed steps")->capture_default_str();
  program.add_option("--warmup", options.warmup, "Steps before them")->capture_default_str();
  program.add_flag("--bf16", options.bf16, "Encoder and decoder in bfloat16");
  program.add_option("OVERRIDE", options.overrides,
                     "Keys of a run's configuration with their values: model.encoder=resnet34");
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(program.exit(error));
  }
  return options;
}

Batch random_batch(const BenchOptions& options) {
  Batch batch;
  batch.image = at::rand({options.batch, 3, options.height, options.width})
                    .contiguous(at::MemoryFormat::ChannelsLast);
  batch.pixels = (at::rand({options.batch * options.height * options.width}) < options.density)
                     .nonzero()
                     .squeeze(1);
  batch.depths = 2 + 70 * at::rand(batch.pixels.sizes());
  return batch;
}

int run(const BenchOptions& options) {
  set_compute_threads(options.threads);
  RunConfig config = parse_run_config("{}", "defaults", options.overrides);
  config.trainer.precision = options.bf16 ? Precision::kBFloat16 : Precision::kFloat32;
  TrainState state = start_state(config, torch::kCPU);
  TrainStep step(state.net, state.optimizer, config);
  const std::vector<Batch> batches{random_batch(options)};
  for (int64_t i = 0; i < options.warmup; ++i) step(batches, 1);
  const auto start = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < options.steps; ++i) step(batches, 1);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("img_per_s %.3f\n",
              static_cast<double>(options.steps * options.batch) / elapsed.count());
  std::printf("peak_mb %.0f\n", static_cast<double>(usage.ru_maxrss) / 1024);
  return 0;
}

}  // namespace
}  // namespace dualdepth

int main(int argc, char** argv) { return dualdepth::run(dualdepth::parse(argc, argv)); }
