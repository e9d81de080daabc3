#pragma once

#include <c10/core/Device.h>

#include <cstdint>

#include "dualdepth/config/run_config.h"

namespace dualdepth {

// The device to compute on. Call it before the first tensor: LibTorch looks for CUDA once.
//
// `cuda` loads LibTorch's CUDA library at run time, so that one program serves machines with and
// without a GPU, and throws Error saying what is missing and how to get it. `auto` does so only
// where NVIDIA's driver reports a GPU, and falls back to the CPU with a log line otherwise. `cpu`
// loads nothing.
c10::Device choose_device(DeviceKind kind);

// Threads of LibTorch's and OpenCV's own computation; 0: all cores. LibTorch's default is 1 on some
// machines. This thread and those it starts later take numbers below 1e-38 for 0: moments of
// parameters that no longer learn decay to such numbers in some 900 steps of Adam, and CPUs compute
// with them in slow motion (a training run fell from 15.7 to 10.0 pictures a second).
void set_compute_threads(int64_t threads);

// While one lives, LibTorch computes on the calling thread alone.
class OneThread {
 public:
  OneThread();
  ~OneThread();
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

// While one lives, a GPU's convolutions keep the whole mantissa of float32, and so does what is
// traced. LibTorch's default, TF32, keeps 10 bits of it: enough to train with, but 0.3 % of pixels
// were then on another level than on a CPU, 0.0006 % without it (H100).
class NoTf32 {
 public:
  NoTf32();
  ~NoTf32();
  NoTf32(const NoTf32&) = delete;
  NoTf32& operator=(const NoTf32&) = delete;

 private:
  bool before_;
};

}  // namespace dualdepth
