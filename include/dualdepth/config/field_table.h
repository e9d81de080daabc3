#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <concepts>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "dualdepth/config/field.h"

namespace dualdepth {

// What is wrong with a value; the caller knows the key and the line.
struct ValueProblem {
  std::string expected;
  std::string got;
};

// One key of an option struct, bound to its variable, with its type erased.
struct Field {
  std::string path;   // "model.params.max_depth"
  std::string type;   // "number", "list of 2 whole numbers", "rounded, continuous or step" ...
  std::string range;  // "0.01 to 10000", "at least 0"; empty: any
  FieldInfo info;
  bool is_text = false;

  // The variable's value as YAML on one line.
  std::function<std::string()> value;

  // Sets the variable, or returns why it cannot.
  std::function<std::optional<ValueProblem>(const YAML::Node&)> assign;
};

namespace field_table_detail {

// A value as a message shows it.
std::string shown(const YAML::Node& node);

std::string range_text(const FieldInfo& info);

// The text as a YAML scalar.
std::string quoted(const std::string& text);

template <class T>
concept Choice = std::is_enum_v<T>;

template <class T>
inline constexpr bool kIsList = false;
template <class T>
inline constexpr bool kIsList<std::vector<T>> = true;

// The whole text as a number; nothing for a quoted one, which YAML means as text.
template <class Number>
std::optional<Number> parse_number(const YAML::Node& node) {
  constexpr const char* kQuoted = "!";
  if (!node.IsScalar() || node.Tag() == kQuoted) return std::nullopt;
  std::string_view text = node.Scalar();
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  Number number{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

template <class T>
std::string type_name(bool plural) {
  if constexpr (std::floating_point<T>) return plural ? "numbers" : "number";
  return plural ? "whole numbers" : "whole number";
}

// "rounded, continuous or step".
template <class Enum>
std::string words_of() {
  std::string names;
  const auto& values = EnumNames<Enum>::values;
  for (size_t i = 0; i < values.size(); ++i) {
    if (i > 0) names += i + 1 == values.size() ? " or " : ", ";
    names += values[i].second;
  }
  return names;
}

// What the elements of a list are.
template <class T>
std::string elements_name() {
  if constexpr (std::same_as<T, std::string>) {
    return "texts";
  } else if constexpr (Choice<T>) {
    return words_of<T>();
  } else {
    return type_name<T>(true);
  }
}

template <class T>
std::string field_type(const FieldInfo& info) {
  if constexpr (std::same_as<T, bool>) {
    return "true or false";
  } else if constexpr (std::same_as<T, std::string>) {
    return "text";
  } else if constexpr (Choice<T>) {
    return words_of<T>();
  } else if constexpr (kIsList<T>) {
    const std::string count = info.length < 0 ? "" : fmt::format("{} ", info.length);
    return fmt::format("list of {}{}", count, elements_name<typename T::value_type>());
  } else {
    return type_name<T>(false);
  }
}

template <class Number>
std::optional<ValueProblem> assign_number(const YAML::Node& node, const FieldInfo& info,
                                          Number& value) {
  const std::optional<Number> number = parse_number<Number>(node);
  if (!number || !std::isfinite(static_cast<double>(*number))) {
    return ValueProblem{"a " + type_name<Number>(false), shown(node)};
  }
  if (static_cast<double>(*number) < info.min || static_cast<double>(*number) > info.max) {
    const std::string unit = info.unit.empty() ? "" : fmt::format(" {}", info.unit);
    return ValueProblem{range_text(info) + unit, node.Scalar()};
  }
  value = *number;
  return std::nullopt;
}

template <class T>
std::optional<ValueProblem> assign_field(const YAML::Node& node, const FieldInfo& info, T& value);

template <class Element>
std::optional<ValueProblem> assign_list(const YAML::Node& node, const FieldInfo& info,
                                        std::vector<Element>& value) {
  const std::string expected = "a " + field_type<std::vector<Element>>(info);
  if (!node.IsSequence()) return ValueProblem{expected, shown(node)};
  if (info.length >= 0 && node.size() != static_cast<size_t>(info.length)) {
    return ValueProblem{expected, fmt::format("a list of {}", node.size())};
  }
  std::vector<Element> elements;
  for (const YAML::Node& element : node) {
    auto problem = assign_field(element, info, elements.emplace_back());
    if (problem) return problem;
  }
  value = std::move(elements);
  return std::nullopt;
}

template <class T>
std::optional<ValueProblem> assign_field(const YAML::Node& node, const FieldInfo& info, T& value) {
  if constexpr (kIsList<T>) {
    return assign_list(node, info, value);
  } else if constexpr (std::same_as<T, bool>) {
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    if (text != "true" && text != "false") return ValueProblem{"true or false", shown(node)};
    value = text == "true";
  } else if constexpr (std::same_as<T, std::string>) {
    if (!node.IsScalar()) return ValueProblem{"text (\"\" for none)", shown(node)};
    value = node.Scalar();
  } else if constexpr (Choice<T>) {
    for (const auto& [candidate, name] : EnumNames<T>::values) {
      if (node.IsScalar() && node.Scalar() == name) {
        value = candidate;
        return std::nullopt;
      }
    }
    return ValueProblem{field_type<T>(info), shown(node)};
  } else {
    return assign_number(node, info, value);
  }
  return std::nullopt;
}

template <class T>
std::string value_text(const T& value) {
  if constexpr (kIsList<T>) {
    std::vector<std::string> elements;
    elements.reserve(value.size());
    for (const auto& element : value) elements.push_back(value_text(element));
    return fmt::format("[{}]", fmt::join(elements, ", "));
  } else if constexpr (std::same_as<T, std::string>) {
    return quoted(value);
  } else if constexpr (Choice<T>) {
    return std::string(enum_name(value));
  } else {
    return fmt::format("{}", value);
  }
}

class TableBuilder {
 public:
  template <class T>
  void field(std::string_view name, T& value, const FieldInfo& info) {
    table_.push_back(
        {.path = prefix_ + std::string(name),
         .type = field_type<T>(info),
         .range = range_text(info),
         .info = info,
         .is_text = std::same_as<T, std::string>,
         .value = [&value] { return value_text(value); },
         .assign = [&value,
                    info](const YAML::Node& node) { return assign_field(node, info, value); }});
  }

  template <class Group>
  void group(std::string_view name, Group& members) {
    const size_t length = prefix_.size();
    prefix_.append(name).append(".");
    members.visit(*this);
    prefix_.resize(length);
  }

  std::vector<Field> take() { return std::move(table_); }

 private:
  std::string prefix_;
  std::vector<Field> table_;
};

}  // namespace field_table_detail

// All keys of an option struct (field.h) in the order of visit(), bound to `options`, which must
// outlive them. Variables are bool, double, float, int64_t, text, enums with EnumNames, and lists
// of numbers, texts or enums.
template <class Options>
std::vector<Field> field_table(Options& options) {
  field_table_detail::TableBuilder builder;
  options.visit(builder);
  return builder.take();
}

}  // namespace dualdepth
