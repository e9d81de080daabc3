#pragma once

#include <filesystem>

#include "dualdepth/deploy/pictures.h"

namespace dualdepth {

// Pictures of a folder (or one file), or the training samples of a data configuration (.yaml);
// `most` of them, evenly spread.
deploy::Pictures calibration_pictures(const std::filesystem::path& folder_or_config, size_t most,
                                      const NetworkInput& input);

}  // namespace dualdepth
