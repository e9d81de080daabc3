#include "dualdepth/runtime/decoding_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "dualdepth/base/error.h"
#include "dualdepth/model/tensor_file.h"
#include "dualdepth/runtime/evaluation.h"
#include "dualdepth/runtime/network_predictor.h"

namespace dualdepth {

std::vector<EvaluatedDecoding> evaluate_decodings(
    const Checkpoint& checkpoint, const Dataset& dataset, const EvaluationOptions& evaluation,
    std::span<const Decoding> decodings, const std::function<void(size_t done)>& progress) {
  const ModelOptions& model = checkpoint.config.model;
  const HeadKind kind = model.head_kind();
  const bool has_levels =
      kind == HeadKind::kCategorical && model.params.codec.codec != CodecKind::kContinuous;
  if (kind != HeadKind::kCumulative && !has_levels) {
    throw Error({.subject = checkpoint.file.path().string(),
                 .expected = "a network with a cumulative head, or a categorical one with levels",
                 .got = kind == HeadKind::kCategorical ? "codec continuous"
                                                       : fmt::format("a {} head", enum_name(kind)),
                 .fix = "other heads are decoded in one way only"});
  }
  DepthNet net = load_network(checkpoint);
  std::vector<EvaluatedDecoding> evaluated;
  for (const Decoding& decoding : decodings) {
    net->set_decoding(decoding);
    NetworkPredictor predictor(net, checkpoint.config.data, c10::kCPU);
    evaluated.push_back({decoding, evaluate(predictor, dataset, evaluation).summary});
    if (progress) progress(evaluated.size());
  }
  return evaluated;
}

const EvaluatedDecoding& best_decoding(std::span<const EvaluatedDecoding> evaluated,
                                       double rmse_ratio) {
  double least_rmse = std::numeric_limits<double>::infinity();
  for (const auto& one : evaluated) least_rmse = std::min(least_rmse, one.metrics.rmse);
  const auto rank = [&](const EvaluatedDecoding& one) {
    return one.metrics.rmse <= rmse_ratio * least_rmse ? one.metrics.abs_rel
                                                       : std::numeric_limits<double>::infinity();
  };
  return *std::ranges::min_element(evaluated, {}, rank);
}

void write_with_decoding(const Checkpoint& checkpoint, const Decoding& decoding,
                         const std::filesystem::path& out) {
  RunConfig config = checkpoint.config;
  config.model.params.codec.decoding = decoding.levels;
  config.model.head.slope = decoding.slope;
  config.model.head.quantile = decoding.quantile;
  const std::string yaml = to_yaml(config);
  parse_run_config(yaml, out.string());  // refuses what could not be read back
  nlohmann::json metadata = checkpoint.metadata;
  metadata["config"] = yaml;
  write_tensors(out, read_tensors(checkpoint.file), {{kCheckpointMetadataKey, metadata.dump()}});
}

}  // namespace dualdepth
