#include "dualdepth/base/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <unistd.h>

#include "dualdepth/base/error.h"

namespace dualdepth {

void set_up_log(bool quiet) {
  auto logger =
      std::make_shared<spdlog::logger>("", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  const std::string clear_progress_line = ::isatty(STDERR_FILENO) != 0 ? "\033[K" : "";
  logger->set_pattern(clear_progress_line + "%^%H:%M:%S %l%$ %v");
  logger->set_level(quiet ? spdlog::level::warn : spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

LogFile::LogFile(const std::filesystem::path& file) {
  try {
    sink_ = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string());
  } catch (const spdlog::spdlog_ex& error) {
    throw Error({.subject = file.string(),
                 .expected = "to write the log",
                 .got = error.what(),
                 .fix = "check the folder and its permissions"});
  }
  sink_->set_pattern("%Y-%m-%d %H:%M:%S %l %v");
  spdlog::default_logger()->sinks().push_back(sink_);
  spdlog::flush_on(spdlog::level::info);
}

LogFile::~LogFile() { std::erase(spdlog::default_logger()->sinks(), sink_); }

}  // namespace dualdepth
