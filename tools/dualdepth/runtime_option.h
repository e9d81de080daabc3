#pragma once

#include <CLI/CLI.hpp>

#include "dualdepth/config/runtime_options.h"
#include "dualdepth/runtime/onnx_contract.h"
#include "enum_option.h"

namespace dualdepth {

// --runtime, --device, --threads, --as-written, --card: how a model is run.
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
  verb.add_option(
          "--card", options.card,
          "contract (JSON) of an exported file that carries none, such as a network trained "
          "elsewhere; of one model it takes the place of the file's own")
      ->type_name("FILE");
}

// --batch: how many pictures are predicted in one run of the network.
inline void add_batch_option(CLI::App& verb, size_t& batch) {
  verb.add_option(
          "--batch", batch,
          "pictures that are predicted together; a file of a fixed batch takes its own number")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
}

// The options under which one of several models is opened: the card is for files without a
// contract of their own.
inline RuntimeOptions runtime_of_one(const std::filesystem::path& model, RuntimeOptions options) {
  if (!options.card.empty() && carries_contract(model)) options.card.clear();
  return options;
}

}  // namespace dualdepth
