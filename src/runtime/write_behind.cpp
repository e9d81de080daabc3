#include "dualdepth/runtime/write_behind.h"

namespace dualdepth {

WriteBehind::WriteBehind(int threads, size_t capacity) : queue_(capacity) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

WriteBehind::~WriteBehind() { queue_.close(); }

void WriteBehind::submit(std::function<void()> task) {
  if (!queue_.push(std::move(task))) rethrow_error();
}

void WriteBehind::finish() {
  queue_.close();
  threads_.clear();  // joins
  rethrow_error();
}

void WriteBehind::run() {
  while (const auto task = queue_.pop()) {
    try {
      {
        const std::lock_guard lock(mutex_);
        if (error_) continue;
      }
      (*task)();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
      queue_.close();
    }
  }
}

void WriteBehind::rethrow_error() {
  const std::lock_guard lock(mutex_);
  if (error_) std::rethrow_exception(error_);
}

}  // namespace dualdepth
