#include "dualdepth/data/loader.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "dualdepth/base/error.h"
#include "dualdepth/data/sampler.h"
#include "sample_maker.h"

namespace dualdepth {
namespace {

// A batch while its samples are being made, in any order and on any thread: each sample writes its
// own part of the picture tensor and its own entry of `truths`.
struct Assembly {
  Assembly(std::vector<size_t> samples, int64_t epoch, cv::Size size, bool pinned)
      : indices(std::move(samples)), epoch(epoch), truths(indices.size()), left(indices.size()) {
    const auto count = static_cast<int64_t>(indices.size());
    // Memory in the order [N, H, W, C], seen as [N, C, H, W]: channels-last.
    batch.image = torch::empty({count, size.height, size.width, 3},
                               torch::TensorOptions(torch::kFloat32).pinned_memory(pinned))
                      .permute({0, 3, 1, 2});
    batch.ids.resize(indices.size());
  }

  // Joins the samples' truths. Called when all samples are there.
  void finish(bool pinned) {
    size_t total = 0;
    for (const SparseDepth& truth : truths) total += truth.pixels.size();
    const auto count = static_cast<int64_t>(total);
    const auto options = torch::TensorOptions().pinned_memory(pinned);
    batch.pixels = torch::empty({count}, options.dtype(torch::kInt64));
    batch.depths = torch::empty({count}, options.dtype(torch::kFloat32));
    int64_t* pixels = batch.pixels.data_ptr<int64_t>();
    float* depths = batch.depths.data_ptr<float>();
    const int64_t area = batch.image.size(2) * batch.image.size(3);
    for (size_t n = 0; n < truths.size(); ++n) {
      const int64_t offset = static_cast<int64_t>(n) * area;
      pixels = std::transform(truths[n].pixels.begin(), truths[n].pixels.end(), pixels,
                              [offset](int32_t pixel) { return offset + pixel; });
      depths = std::copy(truths[n].depths.begin(), truths[n].depths.end(), depths);
    }
  }

  std::vector<size_t> indices;
  int64_t epoch;
  Batch batch;
  std::vector<SparseDepth> truths;
  size_t dealt = 0;  // samples that a thread has taken
  size_t left;       // samples that are not done
  std::exception_ptr error;
};

}  // namespace

struct Loader::Impl {
  Impl(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options)
      : options(options), sample_count(dataset->size()), maker(std::move(dataset), options) {
    for (int64_t i = 0; i < options.data.workers; ++i) workers.emplace_back([this] { work(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    work_to_do.notify_all();
  }

  int64_t batches_per_epoch() const {
    const auto samples = static_cast<int64_t>(sample_count);
    const int64_t size = options.data.batch_size;
    return options.drop_last ? samples / size : (samples + size - 1) / size;
  }

  void start_epoch(int64_t new_epoch, int64_t first_batch) {
    {
      const std::lock_guard lock(mutex);
      epoch = new_epoch;
      order = epoch_order(sample_count, options.augment, options.seed, epoch);
      window.clear();  // threads that still work on it keep what they need
      next_batch = first_batch;
      extend_window();
    }
    work_to_do.notify_all();
  }

  std::optional<Batch> next() {
    std::unique_lock lock(mutex);
    if (window.empty()) return std::nullopt;
    const std::shared_ptr<Assembly> front = window.front();
    if (workers.empty()) {
      while (Task task = take_task()) run(lock, task);
    } else {
      const auto start = std::chrono::steady_clock::now();
      batch_done.wait(lock, [&] { return front->left == 0; });
      waited += std::chrono::steady_clock::now() - start;
    }
    window.pop_front();
    extend_window();
    lock.unlock();
    work_to_do.notify_all();
    if (front->error) std::rethrow_exception(front->error);
    front->finish(options.pin_memory);
    return std::move(front->batch);
  }

  struct Task {
    std::shared_ptr<Assembly> assembly;
    size_t position = 0;
    explicit operator bool() const { return assembly != nullptr; }
  };

  // The functions below need the lock.

  // Begins batches, on the caller's thread, until `prefetch` of them are under way or ready.
  void extend_window() {
    const size_t ahead = workers.empty() ? 1 : static_cast<size_t>(options.data.prefetch);
    while (window.size() < ahead && next_batch < batches_per_epoch()) {
      const auto begin = order.begin() + next_batch * options.data.batch_size;
      const auto end = std::min(begin + options.data.batch_size, order.end());
      window.push_back(std::make_shared<Assembly>(std::vector<size_t>(begin, end), epoch,
                                                  maker.size(), options.pin_memory));
      ++next_batch;
    }
  }

  Task take_task() {
    for (const std::shared_ptr<Assembly>& assembly : window) {
      if (assembly->dealt < assembly->indices.size()) return {assembly, assembly->dealt++};
    }
    return {};
  }

  void run(std::unique_lock<std::mutex>& lock, const Task& task) {
    Assembly& assembly = *task.assembly;
    lock.unlock();
    std::exception_ptr error;
    try {
      make_sample(assembly, task.position);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    if (error && !assembly.error) assembly.error = error;
    if (--assembly.left == 0) batch_done.notify_all();
  }

  void make_sample(Assembly& assembly, size_t position) const {
    const size_t index = assembly.indices[position];
    const size_t floats = static_cast<size_t>(maker.size().area()) * 3;
    float* image = assembly.batch.image.data_ptr<float>() + position * floats;
    assembly.truths[position] = maker.make(index, assembly.epoch, image);
    assembly.batch.ids[position] = maker.dataset().id(index);
  }

  void work() {
    std::unique_lock lock(mutex);
    while (!stopping) {
      if (const Task task = take_task()) {
        run(lock, task);
      } else {
        work_to_do.wait(lock);
      }
    }
  }

  const LoaderOptions options;
  const size_t sample_count;
  const SampleMaker maker;

  std::mutex mutex;
  std::condition_variable work_to_do;
  std::condition_variable batch_done;
  bool stopping = false;
  int64_t epoch = 0;
  std::vector<size_t> order;
  std::deque<std::shared_ptr<Assembly>> window;  // the next batch to hand out is in front
  int64_t next_batch = std::numeric_limits<int64_t>::max();  // to begin; no epoch yet
  std::chrono::duration<double> waited{0};
  std::vector<std::jthread> workers;  // last: they end before the rest goes
};

Loader::Loader(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options) {
  if (options.drop_last && dataset->size() < static_cast<size_t>(options.data.batch_size)) {
    throw Error(
        {.subject = "data.batch_size",
         .expected = "at most " + std::to_string(dataset->size()) + ", the samples of the data set",
         .got = std::to_string(options.data.batch_size),
         .fix = ""});
  }
  impl_ = std::make_unique<Impl>(std::move(dataset), options);
}

Loader::~Loader() = default;

int64_t Loader::batches_per_epoch() const { return impl_->batches_per_epoch(); }

void Loader::start_epoch(int64_t epoch, int64_t first_batch) {
  impl_->start_epoch(epoch, first_batch);
}

std::optional<Batch> Loader::next() { return impl_->next(); }

double Loader::seconds_waited() const { return impl_->waited.count(); }

}  // namespace dualdepth
