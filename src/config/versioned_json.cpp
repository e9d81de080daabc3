#include "dualdepth/config/versioned_json.h"

#include <fmt/format.h>

#include <algorithm>

#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

[[noreturn]] void fail(const std::string& origin, const std::string& expected,
                       const std::string& got) {
  throw ConfigError(
      to_string(ErrorParts{.subject = origin, .expected = expected, .got = got, .fix = ""}));
}

constexpr size_t kLine = 100;

// indent: of the line that the value begins on.
std::string readable(const nlohmann::ordered_json& json, const std::string& indent) {
  std::string line = json.dump();
  if (!json.is_object() || line.size() <= kLine) return line;
  std::string text = "{";
  for (const auto& [key, value] : json.items()) {
    text += fmt::format("{}\n{}  {}: {}", text.size() > 1 ? "," : "", indent,
                        nlohmann::ordered_json(key).dump(), readable(value, indent + "  "));
  }
  return text + "\n" + indent + "}";
}

}  // namespace

std::string readable_json(const nlohmann::ordered_json& json) { return readable(json, ""); }

nlohmann::ordered_json parse_versioned_json(const std::string& text, const std::string& origin,
                                            int oldest, int newest) {
  nlohmann::ordered_json json;
  try {
    json = nlohmann::ordered_json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    const std::string what = error.what();  // "[json.exception.parse_error.101] parse error at ..."
    fail(origin, "JSON", what.substr(std::min(what.find("] ") + 2, what.size())));
  }
  if (!json.is_object()) fail(origin, "a JSON object", json.type_name());
  const auto version = json.find("format_version");
  if (version == json.end()) {
    fail(origin + ": format_version", fmt::format("{}", newest), "nothing");
  }
  if (!version->is_number_integer() || *version < oldest || *version > newest) {
    const auto expected =
        oldest == newest ? fmt::format("{}", newest) : fmt::format("{} to {}", oldest, newest);
    fail(origin + ": format_version", expected, version->dump());
  }
  return json;
}

}  // namespace dualdepth
