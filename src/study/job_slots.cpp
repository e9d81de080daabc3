#include "dualdepth/study/job_slots.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace dualdepth::study {
namespace {

constexpr int kCoresOfARun = 4;  // more cores bring one training little

}  // namespace

std::vector<std::string> visible_gpus(const std::string& driver) {
  std::vector<std::string> gpus;
  if (const char* named = std::getenv("CUDA_VISIBLE_DEVICES")) {
    std::string name;
    for (const char* c = named;; ++c) {
      if (*c != ',' && *c != '\0') {
        name += *c;
        continue;
      }
      if (!name.empty()) gpus.push_back(name);
      name.clear();
      if (*c == '\0') return gpus;
    }
  }
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator(driver, absent)) {
    if (entry.is_directory()) gpus.push_back(std::to_string(gpus.size()));
  }
  return gpus;
}

std::vector<JobSlot> job_slots(int jobs, size_t runs, int threads, const Machine& machine) {
  if (jobs == 0) {
    jobs = machine.gpus.empty() ? machine.cores / (threads > 0 ? threads : kCoresOfARun)
                                : static_cast<int>(machine.gpus.size());
  }
  const size_t count =
      std::clamp<size_t>(static_cast<size_t>(std::max(jobs, 1)), 1, std::max<size_t>(runs, 1));
  std::vector<JobSlot> slots(count);
  for (size_t i = 0; i < count; ++i) {
    if (count > 1) slots[i].threads = std::max(1, machine.cores / static_cast<int>(count));
    if (!machine.gpus.empty()) slots[i].gpu = machine.gpus[i % machine.gpus.size()];
  }
  return slots;
}

}  // namespace dualdepth::study
