#include "dualdepth/runtime/device.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <link.h>
#include <malloc.h>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <limits>
#include <opencv2/core/utility.hpp>
#include <string>

#include "dualdepth/base/error.h"
#include "dualdepth/base/parallel.h"

namespace dualdepth {
namespace {

// Asks NVIDIA's driver, which costs nothing where there is none. Empty when a GPU is there,
// otherwise what is missing.
std::string missing_from_driver() {
  void* driver = ::dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (driver == nullptr) return "no NVIDIA driver (libcuda.so.1)";
  const auto initialise = reinterpret_cast<int (*)(unsigned)>(::dlsym(driver, "cuInit"));
  const auto count_devices = reinterpret_cast<int (*)(int*)>(::dlsym(driver, "cuDeviceGetCount"));
  int devices = 0;
  const bool found = initialise != nullptr && count_devices != nullptr && initialise(0) == 0 &&
                     count_devices(&devices) == 0 && devices > 0;
  return found ? "" : "an NVIDIA driver without a usable GPU";
}

// LibTorch's CUDA library lies beside its CPU library, which is in this process.
std::filesystem::path cuda_library() {
  const ::link_map* cpu_library = nullptr;
  void* handle = ::dlopen("libtorch_cpu.so", RTLD_LAZY | RTLD_NOLOAD);
  if (handle == nullptr ||
      ::dlinfo(handle, RTLD_DI_LINKMAP, static_cast<void*>(&cpu_library)) != 0) {
    return "libtorch_cuda.so";
  }
  return std::filesystem::path(cpu_library->l_name).parent_path() / "libtorch_cuda.so";
}

// Empty on success, otherwise what is missing. LibTorch must not be asked for CUDA before the
// library is there: it remembers its first answer.
std::string load_cuda() {
  if (auto missing = missing_from_driver(); !missing.empty()) return missing;
  // Its registrations are found through global symbols; it stays loaded until the program ends.
  if (::dlopen(cuda_library().c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) return ::dlerror();
  return at::hasCUDA() ? "" : cuda_library().string() + " that finds no GPU";
}

// glibc hands large blocks back to the system when they are freed, and each new map then costs a
// page fault for every 4 kB.
void keep_freed_memory() {
  constexpr int kNever = std::numeric_limits<int>::max();
  constexpr int kGrowBy = 1 << 27;  // bytes
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, kNever);
  mallopt(M_TOP_PAD, kGrowBy);
}

}  // namespace

c10::Device choose_device(DeviceKind kind) {
  if (kind == DeviceKind::kCpu) return c10::kCPU;
  const auto missing = load_cuda();
  if (missing.empty()) return {c10::kCUDA, 0};
  if (kind == DeviceKind::kCuda) {
    throw Error(
        {.subject = "device: cuda",
         .expected = "an NVIDIA GPU and LibTorch's CUDA libraries",
         .got = missing,
         .fix = "run tools/setup --cuda on a machine with a GPU, or ask for the device cpu"});
  }
  spdlog::debug("device: auto computes on the CPU: {}", missing);
  return c10::kCPU;
}

void set_compute_threads(int64_t threads) {
  const int count = resolve_thread_count(static_cast<int>(threads));
  at::set_num_threads(count);
  cv::setNumThreads(count);
  keep_freed_memory();
  at::Context::setFlushDenormal(true);
}

OneThread::OneThread() : before_(at::get_num_threads()) { at::set_num_threads(1); }
OneThread::~OneThread() { at::set_num_threads(before_); }

NoTf32::NoTf32() : before_(at::globalContext().allowTF32CuDNN()) {
  at::globalContext().setAllowTF32CuDNN(false);
}
NoTf32::~NoTf32() { at::globalContext().setAllowTF32CuDNN(before_); }

}  // namespace dualdepth
