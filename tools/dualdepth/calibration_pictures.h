#pragma once

#include <filesystem>

#include "dualdepth/quantize/depth_error.h"
#include "dualdepth/runtime/network_pictures.h"

namespace dualdepth {

// Pictures of a folder (or one file), or the training samples of a data configuration (.yaml);
// `most` of them, evenly spread.
graph::Pictures calibration_pictures(const std::filesystem::path& folder_or_config, size_t most,
                                     const InputContract& input);

// abs_rel of a graph on `most` validation samples of a data configuration, evenly spread, measured
// as its evaluation section says: the network remembers the training samples, so its error there
// says little. None for a folder, whose pictures have no ground truth, and without data.val_split.
quantize::ErrorOf calibration_error(const std::filesystem::path& config, size_t most,
                                    const Contract& contract);

}  // namespace dualdepth
