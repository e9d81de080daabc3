#pragma once

#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "dualdepth/base/parallel.h"

namespace dualdepth {

// Runs tasks (encoding and writing results) on threads behind the caller's back. At most `capacity`
// wait, so that memory stays flat when the disk is slower than the network.
class WriteBehind {
 public:
  WriteBehind(int threads, size_t capacity);
  ~WriteBehind();  // lets tasks in hand end; prefer finish(), which tells of their errors
  WriteBehind(const WriteBehind&) = delete;
  WriteBehind& operator=(const WriteBehind&) = delete;

  // Waits for room. Throws what an earlier task threw; later tasks do not run then.
  void submit(std::function<void()> task);

  // Waits for all tasks. Throws what the first failing one threw.
  void finish();

 private:
  void run();
  void rethrow_error();

  BoundedQueue<std::function<void()>> queue_;
  std::mutex mutex_;
  std::exception_ptr error_;
  std::vector<std::jthread> threads_;
};

}  // namespace dualdepth
