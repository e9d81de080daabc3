#pragma once

#include <torch/types.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "dualdepth/config/data_options.h"
#include "dualdepth/data/dataset.h"
#include "dualdepth/runtime/dense_predictor.h"

namespace dualdepth::deploy {

// Pictures as a network sees them. `at` may be called from several threads at once and returns
// float [1, 3, H, W], RGB in 0..1.
struct Pictures {
  size_t count = 0;
  std::function<torch::Tensor(size_t index)> at;

  // `most` of them, evenly spread; all when there are no more.
  Pictures spread(size_t most) const;
};

// The pictures of these files and folders. Throws Error when one of them is absent or holds none.
Pictures open_pictures(const std::vector<std::filesystem::path>& inputs, const NetworkInput& input);

// The samples' pictures.
Pictures dataset_pictures(std::shared_ptr<const Dataset> samples, const NetworkInput& input);

// A few rendered ones, for where there are no others.
Pictures rendered_pictures(const NetworkInput& input, DatasetKind layout);

}  // namespace dualdepth::deploy
