#pragma once

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "dualdepth/graph/pictures.h"
#include "dualdepth/model/dense_prediction.h"
#include "dualdepth/model/depth_net.h"
#include "dualdepth/runtime/exported_model.h"

namespace dualdepth {

inline constexpr double kDepthTolerance = 1e-3;     // m
inline constexpr double kFractionTolerance = 1e-3;  // of a level
inline constexpr double kNearTie = 1e-4;  // between the two best logits, or a share and a half
// Share of the pixels outside near ties whose level may be another one.
inline constexpr double kOtherLevels = 1e-4;

// An exported file compared with its checkpoint, pixel by pixel. Each pixel is one of these:
//
//   non-finite      the file's depth or fraction is NaN or infinite
//   near tie        the checkpoint's two best logits are less than kNearTie apart, so that the
//                   order of a sum decides: the file's level is one of these two (its depth is that
//                   of one of them, where the file returns no level); of a median, the shares of
//                   the levels up to the lower of both add up to a half within kNearTie
//   other level     neither, and the level (or the level behind the depth) is not the checkpoint's;
//                   of a Hilbert head the depth, where coordinates that differ by rounding lie
//                   nearest to another place of the curve
//   out of tolerance  the level is right, but the fraction differs by more than kFractionTolerance
//                   from the checkpoint's, or the depth by more than kDepthTolerance from what this
//                   level and the checkpoint's fraction compose
//   equal           all others
struct ExportCheck {
  int64_t pictures = 0;
  int64_t pixels = 0;
  int64_t near_ties = 0;  // that need the excuse: the level is the second best one
  int64_t other_levels = 0;
  int64_t out_of_tolerance = 0;
  int64_t non_finite = 0;
  double worst_depth = 0;      // m, over equal pixels
  double worst_fraction = 0;   // over finite pixels, where the file returns fractions
  double mean_difference = 0;  // m, over finite pixels

  // Winning logits that the Relu behind a centred head clips (graph/clipped_winners.h), and the
  // name of the picture with the most.
  int64_t clipped_winners = 0;
  std::string clipped_in = {};

  // No pixel is out of tolerance, non-finite or clipped, and at most kOtherLevels of those that are
  // no near tie have another level.
  bool holds() const;
};

// Runs a file on each picture. batch: pictures that the file takes at once; the last one is
// repeated to fill up a batch. use: called with each picture's index, image [1, 3, H, W] and
// prediction.
using PictureUse = std::function<void(size_t index, const torch::Tensor& image,
                                      const DensePrediction& prediction)>;
void run_pictures(ExportedModel& exported, const graph::Pictures& pictures, int64_t batch,
                  const PictureUse& use);

// net: the checkpoint's own, not one that was traced. batch: see run_pictures(). Throws Error when
// the checkpoint's own depth is not finite.
ExportCheck check_export(DepthNet& net, ExportedModel& exported, const graph::Pictures& pictures,
                         int64_t batch = 1);

}  // namespace dualdepth
