#pragma once

#include <filesystem>

#include "dualdepth/quantize/depth_error.h"
#include "dualdepth/runtime/network_pictures.h"

namespace dualdepth {

// Pictures of a folder (or one file), or the training samples of a data configuration (.yaml);
// `most` of them, evenly spread.
graph::Pictures calibration_pictures(const std::filesystem::path& folder_or_config, size_t most,
                                     const InputContract& input);

// abs_rel of a graph on `most` training samples of a data configuration, evenly spread, judged as
// its evaluation section says. None for a folder: pictures alone have no ground truth.
quantize::ErrorOf calibration_error(const std::filesystem::path& config, size_t most,
                                    const Contract& contract);

}  // namespace dualdepth
