#include "dualdepth/quantize/range_table.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"

namespace dualdepth::quantize {
namespace {

constexpr int kFormatVersion = 1;

[[noreturn]] void fail(const std::string& subject, const std::string& expected,
                       const std::string& got) {
  throw Error({.subject = subject,
               .expected = expected,
               .got = got,
               .fix = "quantize --save-ranges writes such a table"});
}

}  // namespace

void write_range_table(const std::filesystem::path& file, const RangeTable& table) {
  nlohmann::ordered_json json{{"format_version", kFormatVersion},
                              {"ranges", nlohmann::json::object()}};
  for (const auto& [name, range] : table) json["ranges"][name] = {range.low, range.high};
  write_file_atomically(file, json.dump(1) + "\n");
}

RangeTable read_range_table(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) fail(file.string(), "a table of ranges", "no file that can be read");
  const auto json = nlohmann::json::parse(stream, nullptr, /*allow_exceptions=*/false);
  const bool fits = json.is_object() && json.value("format_version", 0) == kFormatVersion &&
                    json.contains("ranges") && json["ranges"].is_object();
  if (!fits) fail(file.string(), "JSON with format_version 1 and ranges", "something else");
  RangeTable table;
  for (const auto& [name, entry] : json["ranges"].items()) {
    const bool pair =
        entry.is_array() && entry.size() == 2 && entry[0].is_number() && entry[1].is_number();
    if (!pair) fail(file.string() + ": " + name, "[low, high]", entry.dump());
    const ValueRange range{entry[0].get<double>(), entry[1].get<double>()};
    if (!(range.low <= 0 && range.high >= 0 && range.width() > 0)) {
      fail(file.string() + ": " + name, "low <= 0 <= high, not both 0", entry.dump());
    }
    table.emplace(name, range);
  }
  return table;
}

}  // namespace dualdepth::quantize
