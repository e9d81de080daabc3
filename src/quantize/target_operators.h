#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "dualdepth/quantize/target.h"

namespace dualdepth::quantize {

// The operators that a target's JSON names, each with the rule of float. Throws ConfigError naming
// `subject` when there are none.
std::map<std::string, OperatorRule> operators_named_in(const nlohmann::ordered_json& json,
                                                       const std::string& subject);

}  // namespace dualdepth::quantize
