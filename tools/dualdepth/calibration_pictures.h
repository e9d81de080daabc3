#pragma once

#include <filesystem>
#include <string>

#include "dualdepth/quantize/depth_error.h"
#include "dualdepth/runtime/network_pictures.h"

namespace dualdepth {

// What --calibration of quantize names.
struct CalibrationPictures {
  graph::Pictures pictures;    // to calibrate with
  graph::Pictures judged;      // to judge layers by: none of `pictures` where there are others
  std::string judged_by = {};  // a sentence that says which these are
};

// source: one of
//
//   a folder or one picture    PNG and JPEG, also below the folder
//   a list (.txt)              runtime/raw_inputs.h
//   raw inputs (.npy, .npz)    the same
//   a configuration (.yaml)    the samples of data.train_split
//
// Of the source at most max_calibrated pictures are taken to calibrate with, evenly spread. At most
// max_judged are taken to judge by: from data.val_split without the samples of calibration, or from
// the pictures that calibration does not use. Where there are none, they are held out from
// calibration if kKeptForCalibration times as many remain; otherwise they are among those of
// calibration. max_judged 0: none are needed.
inline constexpr size_t kKeptForCalibration = 3;
CalibrationPictures open_calibration(const std::filesystem::path& source, size_t max_calibrated,
                                     size_t max_judged, const InputContract& input);

// abs_rel of a graph on `most` validation samples of a data configuration, evenly spread, measured
// as its evaluation section says: the network remembers the training samples, so its error there
// says little. None for other sources, whose pictures have no ground truth, and without
// data.val_split.
quantize::ErrorOf calibration_error(const std::filesystem::path& config, size_t most,
                                    const Contract& contract);

}  // namespace dualdepth
