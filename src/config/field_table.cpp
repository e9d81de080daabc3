#include "field_table.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <concepts>
#include <type_traits>
#include <utility>

namespace dualdepth {
namespace {

template <class T>
concept Choice = std::is_enum_v<T>;

template <class T>
inline constexpr bool kIsList = false;
template <class T>
inline constexpr bool kIsList<std::vector<T>> = true;

// A value as a message shows it.
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
  if constexpr (std::same_as<T, double>) return plural ? "numbers" : "number";
  return plural ? "whole numbers" : "whole number";
}

template <class T>
std::string field_type(const FieldInfo& info) {
  if constexpr (std::same_as<T, bool>) {
    return "true or false";
  } else if constexpr (std::same_as<T, std::string>) {
    return "text";
  } else if constexpr (Choice<T>) {
    std::string names;
    const auto& values = EnumNames<T>::values;
    for (size_t i = 0; i < values.size(); ++i) {
      if (i > 0) names += i + 1 == values.size() ? " or " : ", ";
      names += values[i].second;
    }
    return names;
  } else if constexpr (kIsList<T>) {
    const std::string count = info.length < 0 ? "" : fmt::format("{} ", info.length);
    return fmt::format("list of {}{}", count, type_name<typename T::value_type>(true));
  } else {
    return type_name<T>(false);
  }
}

std::string range_text(const FieldInfo& info) {
  const bool has_min = std::isfinite(info.min);
  const bool has_max = std::isfinite(info.max);
  if (has_min && has_max) return fmt::format("{} to {}", info.min, info.max);
  if (has_min) return fmt::format("at least {}", info.min);
  if (has_max) return fmt::format("at most {}", info.max);
  return "";
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

template <class Number>
std::optional<ValueProblem> assign_list(const YAML::Node& node, const FieldInfo& info,
                                        std::vector<Number>& value) {
  const std::string expected = "a " + field_type<std::vector<Number>>(info);
  if (!node.IsSequence()) return ValueProblem{expected, shown(node)};
  if (info.length >= 0 && node.size() != static_cast<size_t>(info.length)) {
    return ValueProblem{expected, fmt::format("a list of {}", node.size())};
  }
  std::vector<Number> numbers;
  for (const YAML::Node& element : node) {
    auto problem = assign_number(element, info, numbers.emplace_back());
    if (problem) return problem;
  }
  value = std::move(numbers);
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
    return fmt::format("[{}]", fmt::join(value, ", "));
  } else if constexpr (std::same_as<T, std::string>) {
    YAML::Emitter emitter;
    emitter << value;
    return emitter.c_str();
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

}  // namespace

std::vector<Field> field_table(RunConfig& config) {
  TableBuilder builder;
  config.visit(builder);
  return builder.take();
}

std::vector<Field> field_table(Contract& contract) {
  TableBuilder builder;
  contract.visit(builder);
  return builder.take();
}

}  // namespace dualdepth
