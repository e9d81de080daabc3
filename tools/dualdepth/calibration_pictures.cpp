#include "calibration_pictures.h"

#include <memory>

#include "dualdepth/config/run_config.h"
#include "dualdepth/data/dataset.h"

namespace dualdepth {

deploy::Pictures calibration_pictures(const std::filesystem::path& folder_or_config, size_t most,
                                      const NetworkInput& input) {
  const auto extension = folder_or_config.extension();
  if (extension != ".yaml" && extension != ".yml") {
    return deploy::open_pictures({folder_or_config}, input).spread(most);
  }
  const RunConfig config = load_run_config(folder_or_config, {});
  const std::shared_ptr<const Dataset> samples = open_dataset(config.data, SplitRole::kTrain);
  const deploy::Pictures all{samples->size(), [samples, input](size_t index) {
                               return to_network_picture(samples->load(index).rgb, input).image;
                             }};
  return all.spread(most);
}

}  // namespace dualdepth
