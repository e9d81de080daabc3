#include "calibration_pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <vector>

#include "dualdepth/base/spread.h"
#include "dualdepth/config/run_config.h"
#include "dualdepth/data/dataset.h"
#include "dualdepth/data/spread_dataset.h"
#include "dualdepth/runtime/evaluation.h"
#include "dualdepth/runtime/raw_inputs.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

bool is_config(const fs::path& path) {
  return path.extension() == ".yaml" || path.extension() == ".yml";
}

graph::Pictures chosen(const graph::Pictures& all, std::vector<size_t> indices) {
  const size_t count = indices.size();
  return {count, [from = all.at, indices = std::move(indices)](size_t index) {
            return from(indices.at(index));
          }};
}

std::vector<size_t> without(size_t count, const std::vector<size_t>& taken) {
  std::vector<size_t> left;
  for (size_t index = 0; index < count; ++index) {
    if (!std::ranges::binary_search(taken, index)) left.push_back(index);
  }
  return left;
}

std::vector<size_t> spread(const std::vector<size_t>& indices, size_t most) {
  std::vector<size_t> some;
  for (const size_t place : spread_indices(indices.size(), most)) some.push_back(indices[place]);
  return some;
}

// Pictures to judge by from the same source.
CalibrationPictures split(const graph::Pictures& all, size_t max_calibrated, size_t max_judged) {
  if (max_judged == 0) return {all.spread(max_calibrated), {}};
  if (all.count > max_calibrated) {
    const auto calibrated = spread_indices(all.count, max_calibrated);
    const auto others = spread(without(all.count, calibrated), max_judged);
    return {chosen(all, calibrated), chosen(all, others),
            fmt::format("{} pictures that calibration does not use", others.size())};
  }
  if (all.count >= (kKeptForCalibration + 1) * max_judged) {
    const auto held_out = spread_indices(all.count, max_judged);
    return {chosen(all, without(all.count, held_out)), chosen(all, held_out),
            fmt::format("{} pictures held out from calibration", held_out.size())};
  }
  const auto some = all.spread(max_judged);
  return {all, some,
          fmt::format("{} pictures of calibration, since {} are too few to hold any out",
                      some.count, all.count)};
}

graph::Pictures open_source(const fs::path& source, const InputContract& input) {
  const auto extension = source.extension();
  if (extension == ".npy" || extension == ".npz") return open_raw_inputs(source, input);
  if (extension == ".txt") return open_pictures(read_picture_list(source), input);
  return open_pictures({source}, input);
}

CalibrationPictures from_config(const fs::path& file, size_t max_calibrated, size_t max_judged,
                                const InputContract& input) {
  const RunConfig config = load_run_config(file, {});
  const std::shared_ptr<const Dataset> train = open_dataset(config.data, SplitRole::kTrain);
  const auto all = dataset_pictures(train, input);
  if (max_judged == 0 || config.data.val_split.empty())
    return split(all, max_calibrated, max_judged);
  const auto calibrated = spread_indices(train->size(), max_calibrated);
  std::set<std::string> ids;
  for (const size_t index : calibrated) ids.insert(train->id(index));
  const std::shared_ptr<const Dataset> held_out = open_dataset(config.data, SplitRole::kValidation);
  std::vector<size_t> others;
  for (size_t index = 0; index < held_out->size(); ++index) {
    if (!ids.contains(held_out->id(index))) others.push_back(index);
  }
  if (others.empty()) return split(all, max_calibrated, max_judged);
  others = spread(others, max_judged);
  return {
      chosen(all, calibrated), chosen(dataset_pictures(held_out, input), others),
      fmt::format("{} pictures of data.val_split, none of them calibrated with", others.size())};
}

}  // namespace

CalibrationPictures open_calibration(const fs::path& source, size_t max_calibrated,
                                     size_t max_judged, const InputContract& input) {
  if (is_config(source)) return from_config(source, max_calibrated, max_judged, input);
  return split(open_source(source, input), max_calibrated, max_judged);
}

quantize::ErrorOf calibration_error(const fs::path& config_file, size_t most,
                                    const Contract& contract) {
  if (!is_config(config_file)) return {};
  const RunConfig config = load_run_config(config_file, {});
  if (config.data.val_split.empty()) return {};
  const auto data = with_ground_truth_of(find_protocol(config.evaluation.protocol), config.data);
  const auto samples =
      std::make_shared<SpreadDataset>(open_dataset(data, SplitRole::kValidation), most);
  return [=](const graph::Graph& graph) {
    DensePredictor predictor(quantize::depth_of(graph, contract), contract, c10::kCPU);
    return evaluate(predictor, *samples, config.evaluation).summary.abs_rel;
  };
}

}  // namespace dualdepth
