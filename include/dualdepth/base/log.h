#pragma once

#include <spdlog/spdlog.h>

#include <filesystem>

namespace dualdepth {

// Sends the log to standard error (results go to standard output). `quiet` leaves warnings and
// errors. Use spdlog::info, warn and error directly.
void set_up_log(bool quiet = false);

// While one lives, what is logged is appended to a file as well. No other thread may log while one
// is made or ended. Throws Error naming the file.
class LogFile {
 public:
  explicit LogFile(const std::filesystem::path& file);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

 private:
  spdlog::sink_ptr sink_;
};

}  // namespace dualdepth
