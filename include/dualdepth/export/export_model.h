#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "dualdepth/export/export_check.h"
#include "dualdepth/graph/centring.h"
#include "dualdepth/runtime/checkpoint.h"

namespace dualdepth {

struct ExportOptions {
  ExportFormat format = ExportFormat::kOnnx;
  OnnxProfile profile = OnnxProfile::kPortable;
  std::optional<ModelOutputs> outputs = {};  // none: the first of outputs_of() the head
  int64_t groups = 0;                        // of position: see position_groups()
  std::optional<graph::Shape> shape =
      {};                // of the picture; none: [1, 3, data.image_shape of the checkpoint]
  bool dynamic = false;  // ONNX: any batch and size (TorchScript always)
  std::vector<std::filesystem::path> center_with = {};  // calibration pictures; empty: no centring
  // Pictures on which the file is compared with the checkpoint; empty: those of center_with, or
  // rendered ones where there are none.
  std::vector<std::filesystem::path> check_with = {};
};

struct ExportReport {
  ExportCheck check;
  std::optional<graph::Centring> centring;
  int64_t nodes = 0;  // of the network graph; 0 for TorchScript
  uintmax_t bytes = 0;
};

// Writes the checkpoint's network in another format, runs the file as it is written (ONNX in
// OpenVINO's own operations, TorchScript in LibTorch) and compares the result with the
// checkpoint's. `out` appears only when report.check.holds(). Throws Error for a shape that is not
// [N, 3, H, W] with multiples of 32, outputs that the head cannot have, a head that is to be
// centred and not categorical, profile npu with dynamic shapes.
ExportReport export_checkpoint(const Checkpoint& checkpoint, const ExportOptions& options,
                               const std::filesystem::path& out);

}  // namespace dualdepth
