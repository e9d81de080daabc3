#pragma once

#include <spdlog/spdlog.h>

#include <filesystem>

namespace dualdepth {

// Sends the log to standard error (results go to standard output). `quiet` leaves warnings and
// errors. Use spdlog::info, warn and error directly.
void set_up_log(bool quiet = false);

// Appends everything that is logged from now on to this file as well. Call it before threads log.
// Throws Error naming the file.
void also_log_to(const std::filesystem::path& file);

}  // namespace dualdepth
