#include <fmt/format.h>

#include <algorithm>

#include "dualdepth/config/field_table.h"
#include "dualdepth/config/run_config.h"

namespace dualdepth {
namespace {

std::string group_of(const std::string& path) {
  const size_t dot = path.rfind('.');
  return dot == std::string::npos ? "" : path.substr(0, dot);
}

std::string name_of(const std::string& path) { return path.substr(path.rfind('.') + 1); }

// "80 m", "[192, 640] px"
std::string with_unit(const std::string& value, const FieldInfo& info) {
  if (info.unit.empty() || value.empty()) return value;
  return fmt::format("{} {}", value, info.unit);
}

// Begins the groups of `path` that `previous` was not in; returns the indent of its keys.
std::string open_groups(const std::string& path, const std::string& previous, std::string& yaml) {
  std::string indent;
  size_t start = 0;
  for (size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.', start)) {
    const bool is_open = previous.compare(0, dot + 1, path, 0, dot + 1) == 0;
    if (!is_open) yaml += indent + path.substr(start, dot - start) + ":\n";
    indent += "  ";
    start = dot + 1;
  }
  return indent;
}

std::string markdown_cell(std::string text) {
  for (size_t bar = text.find('|'); bar != std::string::npos; bar = text.find('|', bar + 2)) {
    text.insert(bar, "\\");
  }
  return text;
}

}  // namespace

std::string to_yaml(const RunConfig& config) {
  RunConfig copy = config;  // a table binds variables that it may set
  std::string yaml;
  std::string previous;
  for (const Field& field : field_table(copy)) {
    const std::string indent = open_groups(field.path, previous, yaml);
    yaml += fmt::format("{}{}: {}\n", indent, name_of(field.path), field.value());
    previous = field.path;
  }
  return yaml;
}

std::vector<ConfigDifference> config_differences(const RunConfig& first, const RunConfig& second) {
  RunConfig first_copy = first;  // a table binds variables that it may set
  RunConfig second_copy = second;
  const auto first_fields = field_table(first_copy);
  const auto second_fields = field_table(second_copy);
  std::vector<ConfigDifference> differences;
  for (size_t i = 0; i < first_fields.size(); ++i) {
    ConfigDifference difference{.key = first_fields[i].path,
                                .first = first_fields[i].value(),
                                .second = second_fields[i].value()};
    if (difference.first != difference.second) differences.push_back(std::move(difference));
  }
  return differences;
}

void explain_run_config(std::ostream& out) {
  RunConfig defaults;
  for (const Field& field : field_table(defaults)) {
    out << fmt::format("{} = {}\n    {}\n    {}", field.path, with_unit(field.value(), field.info),
                       field.info.help, field.type);
    if (!field.range.empty()) out << ", " << with_unit(field.range, field.info);
    out << "\n";
  }
}

void write_config_markdown(std::ostream& out) {
  out << "# Configuration\n\n"
         "Every key that a YAML file of `dualdepth train` may hold; what is left out has its "
         "default. On the command line\n"
         "`key.path=value` overrides the file. `cmake --build build --target config_reference` "
         "makes this page from the option structs.\n";
  RunConfig defaults;
  std::string group = "none yet";
  for (const Field& field : field_table(defaults)) {
    if (group_of(field.path) != group) {
      group = group_of(field.path);
      out << fmt::format("\n## {}\n\n| key | default | type | range | meaning |\n",
                         group.empty() ? "Top level" : "`" + group + "`")
          << "| --- | --- | --- | --- | --- |\n";
    }
    out << fmt::format("| `{}` | `{}` | {} | {} | {} |\n", name_of(field.path),
                       with_unit(field.value(), field.info), field.type,
                       with_unit(field.range, field.info),
                       markdown_cell(std::string(field.info.help)));
  }
}

}  // namespace dualdepth
