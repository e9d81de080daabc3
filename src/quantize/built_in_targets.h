#pragma once

#include <span>
#include <string_view>

namespace dualdepth::quantize {

// The texts of src/quantize/targets/*.json, which the build puts into the program.
std::span<const std::string_view> built_in_targets();

}  // namespace dualdepth::quantize
