#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace dualdepth::study {

// What one of several runs at a time computes with.
struct JobSlot {
  int threads = 0;       // of the CPU's computation; 0: as its configuration says
  std::string gpu = {};  // for CUDA_VISIBLE_DEVICES; empty: as this process sees them
};

// The GPUs that this process sees, as CUDA_VISIBLE_DEVICES names them: those that it holds, else
// one for each folder of NVIDIA's driver below `driver`.
std::vector<std::string> visible_gpus(const std::string& driver = "/proc/driver/nvidia/gpus");

// What there is for all of them.
struct Machine {
  int cores = 1;
  std::vector<std::string> gpus = {};  // as visible_gpus() names them
};

// jobs: how many; 0: one for each GPU, without GPUs as many as the cores hold of runs with so many
// threads (0: four). Never more than there are runs, and at least one. The cores are shared out
// evenly, and the GPUs in turn.
std::vector<JobSlot> job_slots(int jobs, size_t runs, int threads, const Machine& machine);

}  // namespace dualdepth::study
