#pragma once

#include <optional>

#include "dualdepth/data/synthetic_set.h"

namespace dualdepth::synthetic {

// Renders drives through streets of their own, 10 frames each, into KITTI's layout:
//
//   raw/2026_01_01/calib_*.txt
//   raw/2026_01_01/<drive>/image_02/data/%010d.jpg
//   raw/2026_01_01/<drive>/velodyne_points/data/%010d.bin                    0..80 m, front part
//   depth/{train,val}/<drive>/proj_depth/groundtruth/image_02/%010d.png      as sparse as a LiDAR's
//   depth_dense/{train,val}/...                                              the same, every pixel
//   splits/{train,val}.txt                                                   in monodepth2's format
//
// Frames count from 5, as in KITTI's annotated depth. Every fifth drive is in val alone. Depth is
// exact at the centre of each pixel, up to the PNG's 1/512 m; sky and what lies beyond 255 m have
// none. To train on dense depth set data.depth_root to depth_dense.
//
// The files are a function of frames, seed and size: the same bytes with any number of threads.
// `out` is filled at the end or not at all (see base/staged_folder.h). Returns nothing after SIGINT
// or SIGTERM. Throws Error for options out of range and for a folder that cannot take the set.
std::optional<SyntheticSetSummary> synthesize_kitti(const SyntheticSetOptions& options);

}  // namespace dualdepth::synthetic
