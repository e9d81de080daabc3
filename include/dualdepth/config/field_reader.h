#pragma once

#include <yaml-cpp/node/node.h>

#include <map>
#include <span>
#include <string>
#include <vector>

#include "dualdepth/base/error.h"
#include "dualdepth/config/field_table.h"

namespace dualdepth {

// Fills option structs, by their field table, from a file and from overrides, and gathers all that
// is wrong. JSON is YAML, so it reads both.
class FieldReader {
 public:
  // fields: bound to variables that outlive this. origin: stands for the file in messages.
  // open_groups: those whose keys were taken from the file, so that they may be empty.
  FieldReader(std::vector<Field> fields, std::string origin,
              std::vector<std::string> open_groups = {})
      : origin_(std::move(origin)),
        fields_(std::move(fields)),
        open_groups_(std::move(open_groups)) {}

  // Also adds the required keys that the file does not hold.
  void read_file(const std::string& yaml);

  // text: "key.path=value".
  void read_override(const std::string& text);

  // Adds what does not fit together. Not after a refused value: its default stands in its place and
  // would raise false alarms.
  void add_relations(std::vector<ErrorParts> problems);

  bool value_was_refused() const { return value_was_refused_; }

  // Whether the file or an override sets this key.
  bool was_set(const std::string& path) const { return places_.contains(path); }

  // Throws ConfigError with all problems, a line each.
  void throw_problems() const;

 private:
  std::string place_of(const YAML::Node& node) const;
  void add(const ErrorParts& problem);
  const Field* find(const std::string& path) const;
  bool is_group(const std::string& path) const;
  void read_group(const std::string& group, const YAML::Node& node);
  void assign(const Field& field, const YAML::Node& value, const std::string& place);
  void add_missing();
  void add_unknown(const std::string& place, const std::string& path);
  std::string suggest(const std::string& path) const;

  std::string origin_;
  std::vector<Field> fields_;
  std::vector<std::string> open_groups_;
  std::map<std::string, std::string> places_;  // where each key was set
  std::vector<std::string> problems_;
  bool value_was_refused_ = false;
};

}  // namespace dualdepth
