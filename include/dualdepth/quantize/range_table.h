#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "dualdepth/quantize/histogram.h"

namespace dualdepth::quantize {

// The range of each value's grid by the name of its node, to be kept, edited and used again:
//
//   {"format_version": 1, "ranges": {"/encoder/conv1/Relu": [0, 3.27], ...}}
using RangeTable = std::map<std::string, ValueRange>;

void write_range_table(const std::filesystem::path& file, const RangeTable& table);

// Throws Error naming the file and entry for anything that is not such a table, or a range that
// does not hold 0.
RangeTable read_range_table(const std::filesystem::path& file);

}  // namespace dualdepth::quantize
