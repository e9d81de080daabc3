#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "dualdepth/runtime/evaluation.h"

namespace dualdepth {

// What says depth: a model, or files that something else has written.
struct Judged {
  std::string name;
  DepthSource depth_of;
  std::shared_ptr<Predictor> predictor;                   // of a model; null for a folder
  double max_depth = 0;                                   // m, blue end of the colours of depth
  bool is_model() const { return predictor != nullptr; }  // so that its time means something
  uintmax_t bytes = 0;                                    // of its file or files
  nlohmann::ordered_json settings;                        // for the report
};

Judged open_judged_model(const std::filesystem::path& file, const RuntimeOptions& runtime,
                         const EvaluationOptions& evaluation);

// See PredictionFolder.
Judged open_judged_folder(const std::filesystem::path& folder, std::optional<double> max_depth,
                          const EvaluationOptions& evaluation, const Dataset& dataset);

}  // namespace dualdepth
