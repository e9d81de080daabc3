#pragma once

#include <array>
#include <filesystem>
#include <utility>

#include "dualdepth/config/field.h"
#include "dualdepth/config/run_config.h"

namespace dualdepth {

// What computes a model: LibTorch for checkpoints and TorchScript, OpenVINO for ONNX.
enum class RuntimeKind { kAuto, kLibTorch, kOpenVino, kOpenVinoBFloat16 };
template <>
struct EnumNames<RuntimeKind> {
  static constexpr std::array values{std::pair{RuntimeKind::kAuto, "auto"},
                                     std::pair{RuntimeKind::kLibTorch, "libtorch"},
                                     std::pair{RuntimeKind::kOpenVino, "openvino"},
                                     std::pair{RuntimeKind::kOpenVinoBFloat16, "openvino-bf16"}};
};

// How to run a model.
struct RuntimeOptions {
  RuntimeKind runtime = RuntimeKind::kAuto;  // auto: the file's own, in float32
  DeviceKind device = DeviceKind::kAuto;     // LibTorch's; OpenVINO computes on the CPU
  int64_t threads = 0;                       // of the CPU's computation; 0: all cores
  // An exported file is computed as any other runtime computes it, without this project's kernels.
  bool as_written = false;
  std::filesystem::path card = {};  // contract in place of the file's own; empty: its own
};

}  // namespace dualdepth
