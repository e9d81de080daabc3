#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <variant>
#include <vector>

#include "dualdepth/io/kitti_calibration.h"
#include "dualdepth/io/vadas_camera.h"
#include "dualdepth/runtime/predictor.h"

namespace dualdepth {

// Returns the pictures (.png, .jpg, .jpeg) among `inputs`: the files, and what lies below folders
// in order of path. Throws Error when an input is absent or holds no picture.
std::vector<std::filesystem::path> list_pictures(std::span<const std::filesystem::path> inputs);

// A picture to predict and where its results go.
struct PictureFile {
  std::filesystem::path picture;
  std::filesystem::path output;  // without extension
};

// Pictures (.png, .jpg, .jpeg) among `inputs`, in order: a file goes to out/<its stem>, those found
// below a folder to out/<path below that folder without extension>. What lies below `out` itself is
// left out, so that a second run does not predict the first one's pictures. Throws Error when an
// input is absent or holds no picture, or when two pictures would write the same files.
std::vector<PictureFile> find_pictures(std::span<const std::filesystem::path> inputs,
                                       const std::filesystem::path& out);

// Which files to write for each picture, all at the picture's own size.
struct PredictionFiles {
  bool npy = true;    // OUTPUT.npy: float32 [H, W], metres
  bool png16 = true;  // OUTPUT_depth.png: 16 bits, metres * 256
  bool color = true;  // OUTPUT_color.png: colorize_depth up to the codec's max_depth
  bool ply = false;   // OUTPUT.ply: coloured points; needs a camera
  size_t batch = 1;   // pictures that are predicted together
  bool flip = false;  // average with the mirrored picture's prediction
  std::variant<std::monostate, Intrinsics, VadasCamera> camera = {};  // of the pictures
};

// Predicts all pictures in order; reading ahead and writing behind in bounded queues keeps memory
// flat for any number. `progress` is told how many pictures are predicted. Throws Error naming the
// file at the first picture that cannot be read or result that cannot be written; files that are
// there then are whole.
void predict_pictures(Predictor& predictor, std::span<const PictureFile> files,
                      const PredictionFiles& wanted,
                      const std::function<void(size_t)>& progress = {});

}  // namespace dualdepth
