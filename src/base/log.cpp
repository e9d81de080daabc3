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

void also_log_to(const std::filesystem::path& file) {
  try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(file.string());
    sink->set_pattern("%Y-%m-%d %H:%M:%S %l %v");
    spdlog::default_logger()->sinks().push_back(std::move(sink));
  } catch (const spdlog::spdlog_ex& error) {
    throw Error({.subject = file.string(),
                 .expected = "to write the log",
                 .got = error.what(),
                 .fix = "check the folder and its permissions"});
  }
  spdlog::flush_on(spdlog::level::info);
}

}  // namespace dualdepth
