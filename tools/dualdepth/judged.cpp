#include "judged.h"

#include <memory>

#include "dualdepth/config/options_json.h"
#include "dualdepth/runtime/prediction_folder.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

uintmax_t bytes_below(const fs::path& folder) {
  uintmax_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

}  // namespace

Judged open_judged_model(const fs::path& file, const RuntimeOptions& runtime,
                         const EvaluationOptions& evaluation) {
  auto model = open_predictor(file, runtime);
  const std::shared_ptr<Predictor> predictor = std::move(model.predictor);
  nlohmann::ordered_json settings{{"model", file.string()},
                                  {"contract", options_json(predictor->contract())}};
  if (model.training) settings["training"] = options_json(*model.training);
  return {.name = file.string(),
          .depth_of =
              [predictor, evaluation](size_t, const Sample& sample) {
                return predict_depth(*predictor, sample.rgb, evaluation);
              },
          .predictor = predictor,
          .max_depth = predictor->contract().codec.max_depth,
          .bytes = fs::file_size(file),
          .settings = std::move(settings)};
}

Judged open_judged_folder(const fs::path& folder, std::optional<double> max_depth,
                          const EvaluationOptions& evaluation, const Dataset& dataset) {
  const auto predictions = std::make_shared<PredictionFolder>(folder, dataset, max_depth);
  return {
      .name = folder.string(),
      .depth_of = [predictions](size_t index, const Sample&) { return predictions->depth(index); },
      .predictor = nullptr,
      .max_depth = with_range(find_protocol(evaluation.protocol), evaluation.range).max_prediction,
      .bytes = bytes_below(folder),
      .settings = {{"predictions", folder.string()}}};
}

}  // namespace dualdepth
