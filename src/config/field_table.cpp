#include "dualdepth/config/field_table.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <cmath>

namespace dualdepth::field_table_detail {

std::string shown(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Undefined:
    case YAML::NodeType::Null:
      return "nothing";
    case YAML::NodeType::Scalar:
      return fmt::format("\"{}\"", node.Scalar().substr(0, 60));
    case YAML::NodeType::Sequence:
      return "a list";
    case YAML::NodeType::Map:
      return "keys";
  }
  return "?";
}

std::string range_text(const FieldInfo& info) {
  const bool has_min = std::isfinite(info.min);
  const bool has_max = std::isfinite(info.max);
  if (has_min && has_max) return fmt::format("{} to {}", info.min, info.max);
  if (has_min) return fmt::format("at least {}", info.min);
  if (has_max) return fmt::format("at most {}", info.max);
  return "";
}

std::string quoted(const std::string& text) {
  YAML::Emitter emitter;
  emitter << text;
  return emitter.c_str();
}

}  // namespace dualdepth::field_table_detail
