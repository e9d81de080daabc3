#include "dualdepth/data/dataset.h"

#include "dualdepth/data/kitti_dataset.h"
#include "dualdepth/data/ncdb_dataset.h"

namespace dualdepth {

std::unique_ptr<Dataset> open_dataset(const DataOptions& options, SplitRole role) {
  const std::string& split = role == SplitRole::kTrain ? options.train_split : options.val_split;
  switch (options.dataset) {
    case DatasetKind::kKitti:
      return std::make_unique<KittiDataset>(options, split);
    case DatasetKind::kNcdb:
      return std::make_unique<NcdbDataset>(options, split);
  }
  return nullptr;
}

}  // namespace dualdepth
