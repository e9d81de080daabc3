#pragma once

#include <optional>

#include "dualdepth/data/synthetic_set.h"

namespace dualdepth::synthetic {

// Renders car parks through the `vadas` fisheye camera into NCDB's layout (ncdb_dataset.h):
//
//   parking_0001/image_a6/%06d.jpg                         every other sequence has the level
//                                                          synced_data/ below its name
//   .../newest_depth_maps/%06d.png                         every pixel, along the camera's axis
//   .../newest_original_depth_maps/%06d.png                as sparse as a LiDAR's
//   .../newest_distance_maps, newest_original_distance_maps   the same, from the camera
//   .../binary_mask.png                                    what the lens sees; also in the root
//   .../segmentation_results/class_masks/<class>/%06d_<i>.png
//                                                          instance i of 50 visible pixels or more
//   calibration/vadas.json                                 the camera (vadas_camera.h)
//   splits/train.json, splits/val.json
//
// Frames count from 0 in each sequence, so stems repeat. Every fifth sequence is in val alone.
// Depth is exact at the centre of each pixel, up to the PNG's 1/512 m; sky, what lies beyond 255 m
// and what the lens does not see have none.
//
// The files are a function of frames, seed and size: the same bytes with any number of threads.
// `out` is filled at the end or not at all (see base/staged_folder.h). Returns nothing after SIGINT
// or SIGTERM. Throws Error for options out of range and for a folder that cannot take the set.
std::optional<SyntheticSetSummary> synthesize_ncdb(const SyntheticSetOptions& options);

}  // namespace dualdepth::synthetic
