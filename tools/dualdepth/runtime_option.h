#pragma once

#include <CLI/CLI.hpp>

#include "dualdepth/config/runtime_options.h"
#include "enum_option.h"

namespace dualdepth {

// --runtime, --device, --threads, --as-written: how a model is run.
inline void add_runtime_options(CLI::App& verb, RuntimeOptions& options) {
  add_enum_option(verb, "--runtime", options.runtime,
                  "what computes the model; auto: LibTorch, for .onnx OpenVINO");
  add_enum_option(verb, "--device", options.device, "where LibTorch computes");
  verb.add_option("--threads", options.threads, "of the CPU's computation; 0: all cores")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  verb.add_flag("--as-written", options.as_written,
                "Compute an ONNX file exactly as another runtime does: OpenVINO imports the file "
                "itself, and none of this project's kernels replaces a part of it. Checkpoints and "
                "TorchScript files are always computed as they are.");
}

}  // namespace dualdepth
