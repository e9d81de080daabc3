#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace dualdepth {

// Parses the JSON object of a file that counts its versions, {"format_version": N, ...}, with its
// keys in the file's order. Throws ConfigError naming `origin` when the text is not JSON, not an
// object, or its version is missing or not oldest..newest.
nlohmann::ordered_json parse_versioned_json(const std::string& text, const std::string& origin,
                                            int oldest, int newest);

// JSON as people read and edit it: an object that is longer than a line of 100 characters has a
// line for each key, a list is on one line.
std::string readable_json(const nlohmann::ordered_json& json);

}  // namespace dualdepth
