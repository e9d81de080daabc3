#include "calibration_pictures.h"

#include <memory>
#include <vector>

#include "dualdepth/base/spread.h"
#include "dualdepth/config/run_config.h"
#include "dualdepth/data/dataset.h"
#include "dualdepth/runtime/evaluation.h"

namespace dualdepth {
namespace {

bool is_config(const std::filesystem::path& path) {
  return path.extension() == ".yaml" || path.extension() == ".yml";
}

// `most` samples of another data set, evenly spread.
class SpreadDataset : public Dataset {
 public:
  SpreadDataset(std::unique_ptr<Dataset> all, size_t most)
      : all_(std::move(all)), indices_(spread_indices(all_->size(), most)) {}

  size_t size() const override { return indices_.size(); }
  const std::string& id(size_t index) const override { return all_->id(indices_.at(index)); }
  Sample load(size_t index) const override { return all_->load(indices_.at(index)); }
  std::vector<std::filesystem::path> files(size_t index) const override {
    return all_->files(indices_.at(index));
  }
  const std::vector<std::string>& missing() const override { return all_->missing(); }

 private:
  std::unique_ptr<Dataset> all_;
  std::vector<size_t> indices_;
};

}  // namespace

graph::Pictures calibration_pictures(const std::filesystem::path& folder_or_config, size_t most,
                                     const InputContract& input) {
  if (!is_config(folder_or_config)) {
    return open_pictures({folder_or_config}, input).spread(most);
  }
  const RunConfig config = load_run_config(folder_or_config, {});
  return dataset_pictures(open_dataset(config.data, SplitRole::kTrain), input).spread(most);
}

quantize::ErrorOf calibration_error(const std::filesystem::path& config_file, size_t most,
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
