#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "dualdepth/config/data_options.h"
#include "dualdepth/data/dataset.h"
#include "dualdepth/graph/pictures.h"
#include "dualdepth/runtime/dense_predictor.h"

namespace dualdepth {

// The pictures of these files and folders. Throws Error when one of them is absent or holds none.
graph::Pictures open_pictures(const std::vector<std::filesystem::path>& inputs,
                              const InputContract& input);

// The samples' pictures.
graph::Pictures dataset_pictures(std::shared_ptr<const Dataset> samples,
                                 const InputContract& input);

// A few rendered ones, for where there are no others.
graph::Pictures rendered_pictures(const InputContract& input, DatasetKind layout);

}  // namespace dualdepth
