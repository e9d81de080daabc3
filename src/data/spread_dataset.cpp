#include "dualdepth/data/spread_dataset.h"

#include <utility>

#include "dualdepth/base/spread.h"

namespace dualdepth {

SpreadDataset::SpreadDataset(std::unique_ptr<Dataset> all, size_t most)
    : all_(std::move(all)), indices_(spread_indices(all_->size(), most)) {}

}  // namespace dualdepth
