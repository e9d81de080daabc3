#pragma once

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "dualdepth/config/field.h"

namespace dualdepth {

// Visits an option struct (see field.h) and keeps its keys and values, groups nested.
class JsonVisitor {
 public:
  template <class Value>
  void field(std::string_view name, const Value& value, const FieldInfo&) {
    json_[std::string(name)] = json_of(value);
  }

  template <class Group>
  void group(std::string_view name, Group& group) {
    JsonVisitor nested;
    group.visit(nested);
    json_[std::string(name)] = nested.json();
  }

  const nlohmann::ordered_json& json() const { return json_; }

 private:
  // The number that is written with the fewest digits of those that are read back as this one.
  static double shortest(float value) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    double number = value;
    std::from_chars(text.data(), end, number);
    return number;
  }

  template <class Value>
  static nlohmann::ordered_json json_of(const Value& value) {
    if constexpr (std::is_enum_v<Value>) {
      return enum_name(value);
    } else if constexpr (std::is_same_v<Value, float>) {
      return shortest(value);
    } else {
      return value;
    }
  }

  template <class Element>
  static nlohmann::ordered_json json_of(const std::vector<Element>& list) {
    auto json = nlohmann::ordered_json::array();
    for (const Element& element : list) json.push_back(json_of(element));
    return json;
  }

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
