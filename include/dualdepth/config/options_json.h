#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>

#include "dualdepth/config/field.h"

namespace dualdepth {

// Visits an option struct (see field.h) and keeps its keys and values, groups nested.
class JsonVisitor {
 public:
  template <class Value>
  void field(std::string_view name, const Value& value, const FieldInfo&) {
    if constexpr (std::is_enum_v<Value>) {
      json_[std::string(name)] = enum_name(value);
    } else {
      json_[std::string(name)] = value;
    }
  }

  template <class Group>
  void group(std::string_view name, Group& group) {
    JsonVisitor nested;
    group.visit(nested);
    json_[std::string(name)] = nested.json();
  }

  const nlohmann::ordered_json& json() const { return json_; }

 private:
  nlohmann::ordered_json json_ = nlohmann::ordered_json::object();
};

// The settings of any option struct for a report.
template <class Options>
nlohmann::ordered_json options_json(Options options) {
  JsonVisitor visitor;
  options.visit(visitor);
  return visitor.json();
}

}  // namespace dualdepth
