// Times the loader alone: picture and depth files in, augmented batches out.
//
// One pass warms the page cache and fills data.cache; then `--epochs` passes are timed. A core is a
// second of CPU time of this process, so that the number is the same on a busy machine:
// samples_per_s_per_core = samples / CPU seconds.

#include "dualdepth/data/loader.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <ctime>

#include "dualdepth/base/error.h"
#include "dualdepth/base/log.h"

namespace dualdepth {
namespace {

double cpu_seconds() {
  timespec time = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

int64_t run_epoch(Loader& loader, int64_t epoch) {
  int64_t samples = 0;
  loader.start_epoch(epoch);
  while (const auto batch = loader.next()) samples += batch->size();
  return samples;
}

int run(int argc, char** argv) {
  CLI::App program("Times the loader on a split");
  LoaderOptions options;
  options.drop_last = false;
  DataOptions& data = options.data;
  int64_t epochs = 5;
  std::string cache = "none";
  bool no_augmentation = false;
  std::string layout = "kitti";
  program.add_option("--dataset", layout, "kitti or ncdb")->capture_default_str();
  program.add_option("--root", data.root, "folder with drives or sequences")->required();
  program.add_option("--split", data.train_split, "split file")->required();
  program.add_option("--height", data.image_shape[0], "px")->capture_default_str();
  program.add_option("--width", data.image_shape[1], "px")->capture_default_str();
  program.add_option("--batch", data.batch_size, "samples")->capture_default_str();
  program.add_option("--workers", data.workers, "threads")->capture_default_str();
  program.add_option("--epochs", epochs, "timed passes")->capture_default_str();
  program.add_option("--cache", cache, "none, memory or disk")->capture_default_str();
  program.add_option("--cache-dir", data.cache_dir, "of the disk cache");
  program.add_flag("--no-augmentation", no_augmentation, "no flip, no colour jitter");
  CLI11_PARSE(program, argc, argv);
  if (layout == "ncdb") data.dataset = DatasetKind::kNcdb;
  for (const auto& [kind, name] : EnumNames<CacheKind>::values) {
    if (cache == name) data.cache = kind;
  }
  if (no_augmentation) data.augmentation.flip = data.augmentation.jitter = 0;

  set_up_log(/*quiet=*/true);
  const std::shared_ptr<const Dataset> dataset = open_dataset(data, SplitRole::kTrain);
  const double megapixels = 1e-6 * static_cast<double>(dataset->load(0).rgb.total());
  Loader loader(dataset, options);
  run_epoch(loader, 0);
  const auto wall_start = std::chrono::steady_clock::now();
  const double cpu_start = cpu_seconds();
  int64_t samples = 0;
  for (int64_t epoch = 1; epoch <= epochs; ++epoch) samples += run_epoch(loader, epoch);
  const double cpu = cpu_seconds() - cpu_start;
  const double wall =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - wall_start).count();
  const auto count = static_cast<double>(samples);
  fmt::print("samples {}\n", samples);
  fmt::print("samples_per_s {:.1f}\n", count / wall);
  fmt::print("samples_per_s_per_core {:.1f}\n", count / cpu);
  fmt::print("cpu_ms_per_sample {:.3f}\n", 1000 * cpu / count);
  fmt::print("cpu_ms_per_megapixel {:.3f}\n", 1000 * cpu / count / megapixels);
  return 0;
}

}  // namespace
}  // namespace dualdepth

int main(int argc, char** argv) {
  try {
    return dualdepth::run(argc, argv);
  } catch (const dualdepth::Error& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 2;
  }
}
