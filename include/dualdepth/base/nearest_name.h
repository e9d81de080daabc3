#pragma once

#include <span>
#include <string>
#include <string_view>

namespace dualdepth {

// The one of `known` that `name` was probably meant to be: smallest Damerau-Levenshtein distance
// (letters added, dropped, changed, neighbours swapped), at most a third of the longer name. Empty
// when none is that near.
std::string_view nearest_name(std::string_view name, std::span<const std::string_view> known);

// The end of a message about an unknown name: "did you mean max_depth?", or where none is near,
// "known: min_depth, max_depth".
std::string suggest_name(std::string_view name, std::span<const std::string_view> known);

}  // namespace dualdepth
