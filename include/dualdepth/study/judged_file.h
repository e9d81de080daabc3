#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "dualdepth/metrics/depth_difference.h"
#include "dualdepth/metrics/evaluation_result.h"
#include "dualdepth/study/study_config.h"

namespace dualdepth::study {

// One way to compute a run's network, and what came of it:
//
//   float                     the checkpoint, in LibTorch
//   float_as_written          float.onnx as another runtime computes it
//   int8_per_channel          int8_per_channel.onnx in this project's runtime
//   int8_per_channel_as_written   the same as another runtime computes it
//   int8_per_tensor, int8_per_tensor_as_written
struct JudgedFile {
  std::string name;
  EvaluationResult result;
  DepthDifference to_float;  // from the checkpoint's depth, over all pixels
  double ms_per_picture = 0;
  uintmax_t bytes = 0;
};

inline constexpr const char* kFloat = "float";

// The names of all of them, in the order above.
std::vector<std::string> judged_names(const JudgeOptions& judge);

// The name that study.json calls `int8`: the last of judge.weights as written, which asks most of a
// network.
std::string int8_name(const JudgeOptions& judge);

// {"name", "protocol", "summary", "bins", "per_sample": [...], "to_float": {...}, "ms_per_picture",
//  "bytes"}; numbers that are not finite are left out.
nlohmann::ordered_json to_json(const JudgedFile& judged);

// The same back; a metric that is left out is NaN. What to_json() does not write stays empty.
// Throws nlohmann::json::exception for any other JSON.
JudgedFile judged_file_from(const nlohmann::json& json);

}  // namespace dualdepth::study
