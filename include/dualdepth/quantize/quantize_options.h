#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dualdepth/config/quantize_options.h"
#include "dualdepth/quantize/depth_error.h"
#include "dualdepth/quantize/target.h"

namespace dualdepth::quantize {

// What is done to a network so that 8 bits keep its depth. Each part can be left out, and each is
// kept only where it brings depth nearer to float's on the pictures that options compare on.
struct QuantizeOptions {
  // What decides the plan (quantize/choose_plan.h).
  OnnxProfile profile = OnnxProfile::kPortable;
  std::optional<Target> target = {};              // in place of the one that ships for the profile
  std::optional<WeightGranularity> weights = {};  // none: the target's default
  RangeMethod ranges = RangeMethod::kMse;
  bool center = true;                        // graph/centring.h and the winners' range
  bool equalize = true;                      // quantize/equalization.h
  std::vector<std::string> keep_float = {};  // names of convolutions

  // What follows the plan.
  bool correct_bias = true;      // quantize/layerwise.h
  bool round_adaptively = true;  // the same
  int64_t positions = 9216;      // output pixels that each layer is fitted to and compared on

  size_t judged_pictures = 8;  // of calibration, on which each part is compared with float
  int threads = 0;             // of calibration; 0: all cores

  const Target& chosen_target() const;
  WeightGranularity granularity() const;
};

// The error of the network in 8 bits once a part is done, with all before it, against float.
struct Stage {
  std::string name;
  DepthError error;
};

}  // namespace dualdepth::quantize
