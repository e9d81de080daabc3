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

// jobs: how many; 0: as many as GPUs where there are any and runs may use them, else one for each
// four cores; never more than there are runs, and at least one. The cores are shared out evenly,
// and the GPUs in turn.
std::vector<JobSlot> job_slots(int jobs, size_t runs, bool uses_gpus);
std::vector<JobSlot> job_slots(int jobs, size_t runs, int cores,
                               const std::vector<std::string>& gpus);

}  // namespace dualdepth::study
