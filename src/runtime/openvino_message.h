#pragma once

#include <string>

namespace dualdepth {

// The last line of one of OpenVINO's messages, which says what is wrong; those before it are
// positions in its sources.
std::string last_line(std::string text);

}  // namespace dualdepth
