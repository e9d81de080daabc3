#pragma once

#include <CLI/CLI.hpp>

#include "dualdepth/config/runtime_options.h"
#include "enum_option.h"

namespace dualdepth {

// --runtime, --device, --threads: how a model is run.
inline void add_runtime_options(CLI::App& verb, RuntimeOptions& options) {
  add_enum_option(verb, "--runtime", options.runtime,
                  "what computes the model; auto: LibTorch, for .onnx OpenVINO");
  add_enum_option(verb, "--device", options.device, "where LibTorch computes");
  verb.add_option("--threads", options.threads, "of the CPU's computation; 0: all cores")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
}

}  // namespace dualdepth
