#pragma once

#include <string>

#include "dualdepth/config/model_options.h"

namespace dualdepth::testing {

// The network of tests that do not depend on the number of channels: ResNet-18 with 8 to 64
// channels in place of 64 to 512, which is trained, written and quantized in a fraction of the
// time.
inline ModelOptions narrow_model() {
  ModelOptions options;
  options.encoder_width = 0.125;
  options.decoder_width = 0.25;
  return options;
}

// The same as lines of a configuration file.
inline const std::string kNarrowModelYaml = "model: {encoder_width: 0.125, decoder_width: 0.25}\n";

}  // namespace dualdepth::testing
