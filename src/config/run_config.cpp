#include "dualdepth/config/run_config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <set>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/base/nearest_name.h"
#include "field_table.h"

namespace dualdepth {
namespace {

constexpr uintmax_t kMaxFileBytes = 1 << 20;

bool is_below(std::string_view path, std::string_view group) {
  return path.size() > group.size() && path.starts_with(group) && path[group.size()] == '.';
}

// Fills one RunConfig from a file and from overrides, and gathers all that is wrong.
class ConfigReader {
 public:
  ConfigReader(RunConfig& config, const std::string& origin)
      : config_(config), origin_(origin), fields_(field_table(config)) {}

  void read_file(const std::string& yaml) {
    std::vector<YAML::Node> documents;
    try {
      documents = YAML::LoadAll(yaml);
    } catch (const YAML::Exception& error) {
      problems_.push_back(
          fmt::format("{}:{}: not valid YAML: {}", origin_, error.mark.line + 1, error.msg));
      return;
    }
    if (documents.size() > 1) {
      problems_.push_back(origin_ + ": expected one YAML document, got " +
                          std::to_string(documents.size()));
    } else if (!documents.empty() && !documents[0].IsNull()) {
      read_group("", documents[0]);
    }
  }

  void read_override(const std::string& text) {
    const size_t equals = text.find('=');
    const std::string key = text.substr(0, equals);
    const std::string place = "override ";
    if (equals == std::string::npos) {
      return add({place + text, "key.path=value", "no =", ""});
    }
    const Field* field = find(key);
    if (field == nullptr) {
      if (is_group(key)) return add({place + key, "a key", "a group of keys", ""});
      return add_unknown(place, key);
    }
    const std::string value = text.substr(equals + 1);
    try {
      // Text is taken as it stands: a path may hold what YAML would read as syntax.
      assign(*field, field->is_text ? YAML::Node(value) : YAML::Load(value), place);
    } catch (const YAML::Exception& error) {
      problems_.push_back(fmt::format("{}{}: not valid YAML: {}", place, key, error.msg));
    }
  }

  // Not after a refused value: its default stands in its place and would raise false alarms.
  void check_relations() {
    if (value_was_refused_) return;
    for (ErrorParts& problem : config_.problems()) {
      const auto place = places_.find(problem.subject);
      problem.subject.insert(0, place != places_.end() ? place->second : origin_ + ": ");
      problems_.push_back(to_string(problem));
    }
  }

  const std::vector<std::string>& problems() const { return problems_; }

 private:
  // Where a node stands, as messages begin.
  std::string place_of(const YAML::Node& node) const {
    return fmt::format("{}:{}: ", origin_, node.Mark().line + 1);
  }

  void add(const ErrorParts& problem) { problems_.push_back(to_string(problem)); }

  const Field* find(const std::string& path) const {
    const auto found = std::find_if(fields_.begin(), fields_.end(),
                                    [&](const Field& field) { return field.path == path; });
    return found == fields_.end() ? nullptr : &*found;
  }

  bool is_group(const std::string& path) const {
    return std::any_of(fields_.begin(), fields_.end(),
                       [&](const Field& field) { return is_below(field.path, path); });
  }

  void read_group(const std::string& group, const YAML::Node& node) {
    if (!node.IsMap()) {
      const std::string got = node.IsSequence() ? "a list" : "one value";
      return add(
          {place_of(node) + (group.empty() ? "the file" : group), "key: value lines", got, ""});
    }
    std::set<std::string> seen;
    for (const auto& entry : node) {
      const std::string place = place_of(entry.first);
      if (!entry.first.IsScalar()) {
        add({place + group, "a name as key", "a list or keys", ""});
        continue;
      }
      const std::string path = (group.empty() ? "" : group + ".") + entry.first.Scalar();
      if (!seen.insert(path).second) {
        add({place + path, "each key once", "a second one", ""});
      } else if (const Field* field = find(path)) {
        assign(*field, entry.second, place);
      } else if (!is_group(path)) {
        add_unknown(place, path);
      } else if (!entry.second.IsNull()) {
        read_group(path, entry.second);
      }
    }
  }

  void assign(const Field& field, const YAML::Node& value, const std::string& place) {
    places_[field.path] = place;
    if (const auto problem = field.assign(value)) {
      value_was_refused_ = true;
      add({place + field.path, problem->expected, problem->got, ""});
    }
  }

  void add_unknown(const std::string& place, const std::string& path) {
    problems_.push_back(place + path + ": unknown key; " + suggest(path));
  }

  // The nearest name in the same group, else a key of that name in another one.
  std::string suggest(const std::string& path) const {
    const size_t dot = path.rfind('.');
    const std::string group = dot == std::string::npos ? "" : path.substr(0, dot);
    const std::string name = path.substr(dot + 1);
    std::vector<std::string_view> siblings;
    for (const Field& field : fields_) {
      std::string_view rest = field.path;
      if (!group.empty()) {
        if (!is_below(rest, group)) continue;
        rest.remove_prefix(group.size() + 1);
      }
      rest = rest.substr(0, rest.find('.'));
      if (siblings.empty() || siblings.back() != rest) siblings.push_back(rest);
    }
    if (nearest_name(name, siblings).empty()) {
      for (const Field& field : fields_) {
        if (field.path.ends_with("." + name)) return "did you mean " + field.path + "?";
      }
    }
    return suggest_name(name, siblings);
  }

  RunConfig& config_;
  const std::string origin_;
  const std::vector<Field> fields_;
  std::map<std::string, std::string> places_;  // where each key was set
  std::vector<std::string> problems_;
  bool value_was_refused_ = false;
};

}  // namespace

RunConfig load_run_config(const std::filesystem::path& file,
                          std::span<const std::string> overrides) {
  return parse_run_config(read_file(file, kMaxFileBytes), file.string(), overrides);
}

RunConfig parse_run_config(const std::string& yaml, const std::string& origin,
                           std::span<const std::string> overrides) {
  RunConfig config;
  ConfigReader reader(config, origin);
  reader.read_file(yaml);
  for (const std::string& override_text : overrides) reader.read_override(override_text);
  reader.check_relations();
  if (!reader.problems().empty()) {
    throw ConfigError(fmt::format("{}", fmt::join(reader.problems(), "\n")));
  }
  return config;
}

}  // namespace dualdepth
