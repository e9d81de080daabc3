#pragma once

#include <chrono>
#include <stdexcept>
#include <string>

#include "dualdepth/config/contract.h"
#include "dualdepth/config/export_options.h"
#include "dualdepth/quantize/depth_error.h"

namespace dualdepth::quantize {

// A number that a command of the user's makes of a candidate network, in place of abs_rel.
struct CommandMetric {
  std::string command;  // of /bin/sh; each {model} becomes the path of the candidate's ONNX file
  std::chrono::seconds time_limit{3600};
};

inline constexpr const char* kModelPlaceholder = "{model}";

// Thrown when SIGINT or SIGTERM came while the command ran; the command has ended.
class MetricInterrupted : public std::runtime_error {
 public:
  MetricInterrupted() : std::runtime_error("interrupted") {}
};

// Writes each graph, float or quantized, as a temporary ONNX file of this profile with the
// contract, runs the command and returns the number on the last line that it prints. Throws Error
// at once for a command without {model}, and later with the command for an exit code other than 0,
// no number, NaN or infinity, a negative number, and a command that runs longer than the limit.
// Throws MetricInterrupted.
ErrorOf command_error(const CommandMetric& metric, const Contract& contract, OnnxProfile profile);

}  // namespace dualdepth::quantize
