#include "dualdepth/config/field_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

#include "dualdepth/base/nearest_name.h"

namespace dualdepth {
namespace {

bool is_below(std::string_view path, std::string_view group) {
  return path.size() > group.size() && path.starts_with(group) && path[group.size()] == '.';
}

}  // namespace

void FieldReader::read_file(const std::string& yaml) {
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
  add_missing();
}

void FieldReader::read_override(const std::string& text) {
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

void FieldReader::add_relations(std::vector<ErrorParts> problems) {
  if (value_was_refused_) return;
  for (ErrorParts& problem : problems) {
    const auto place = places_.find(problem.subject);
    problem.subject.insert(0, place != places_.end() ? place->second : origin_ + ": ");
    problems_.push_back(to_string(problem));
  }
}

void FieldReader::throw_problems() const {
  if (!problems_.empty()) throw ConfigError(fmt::format("{}", fmt::join(problems_, "\n")));
}

// Where a node stands, as messages begin.
std::string FieldReader::place_of(const YAML::Node& node) const {
  return fmt::format("{}:{}: ", origin_, node.Mark().line + 1);
}

void FieldReader::add(const ErrorParts& problem) { problems_.push_back(to_string(problem)); }

const Field* FieldReader::find(const std::string& path) const {
  const auto found = std::find_if(fields_.begin(), fields_.end(),
                                  [&](const Field& field) { return field.path == path; });
  return found == fields_.end() ? nullptr : &*found;
}

bool FieldReader::is_group(const std::string& path) const {
  if (std::ranges::count(open_groups_, path) > 0) return true;
  return std::any_of(fields_.begin(), fields_.end(),
                     [&](const Field& field) { return is_below(field.path, path); });
}

void FieldReader::read_group(const std::string& group, const YAML::Node& node) {
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

void FieldReader::assign(const Field& field, const YAML::Node& value, const std::string& place) {
  places_[field.path] = place;
  if (const auto problem = field.assign(value)) {
    value_was_refused_ = true;
    add({place + field.path, problem->expected, problem->got, ""});
  }
}

void FieldReader::add_missing() {
  for (const Field& field : fields_) {
    if (!field.info.is_required || places_.contains(field.path)) continue;
    value_was_refused_ = true;
    add({origin_ + ": " + field.path, field.type, "nothing", ""});
  }
}

void FieldReader::add_unknown(const std::string& place, const std::string& path) {
  problems_.push_back(place + path + ": unknown key; " + suggest(path));
}

// The nearest name in the same group, else a key of that name in another one.
std::string FieldReader::suggest(const std::string& path) const {
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

}  // namespace dualdepth
