#include "dualdepth/runtime/device.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <thread>

#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

bool has_nvidia_driver() { return ::dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL) != nullptr; }

TEST(Device, CpuLoadsNothingOfCuda) {
  EXPECT_TRUE(choose_device(DeviceKind::kCpu).is_cpu());
  EXPECT_EQ(::dlopen("libtorch_cuda.so", RTLD_LAZY | RTLD_NOLOAD), nullptr);
}

TEST(Device, CudaThatIsNotThereIsOneClearError) {
  if (has_nvidia_driver()) GTEST_SKIP() << "this machine has NVIDIA's driver";
  EXPECT_THAT([] { choose_device(DeviceKind::kCuda); },
              ThrowsMessage<Error>(AllOf(HasSubstr("device: cuda"), HasSubstr("no NVIDIA driver"),
                                         HasSubstr("tools/setup --cuda"))));
}

TEST(Device, AutoFallsBackToTheCpu) {
  if (has_nvidia_driver()) GTEST_SKIP() << "this machine has NVIDIA's driver";
  EXPECT_TRUE(choose_device(DeviceKind::kAuto).is_cpu());
}

TEST(ComputeThreads, DefaultToAllCores) {
  set_compute_threads(1);
  EXPECT_EQ(at::get_num_threads(), 1);
  set_compute_threads(0);
  EXPECT_EQ(at::get_num_threads(), static_cast<int>(std::thread::hardware_concurrency()));
}

// Adam's moments of filters that no longer learn decay to denormal numbers, which slowed training
// to two thirds. On a thread of its own, which starts its own threads to compute with: those of the
// tests before keep their mode, and those behind are not to have this one.
TEST(ComputeThreads, TakeDenormalNumbersForZero) {
  int64_t left = -1;
  std::thread([&] {
    set_compute_threads(2);
    const auto tiny = torch::full({1 << 20}, 1e-30F).mul_(1e-10F);
    left = tiny.count_nonzero().item<int64_t>();
  }).join();
  EXPECT_EQ(left, 0);
}

}  // namespace
}  // namespace dualdepth
