#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "dualdepth/config/field.h"

namespace dualdepth {

// An option that takes the YAML names of an enum (EnumNames) and calls set(value).
template <class Enum, class Set>
CLI::Option* enum_option(CLI::App& app, const std::string& name, const std::string& help, Set set) {
  std::vector<std::string> names;
  names.reserve(EnumNames<Enum>::values.size());
  for (const auto& [value, text] : EnumNames<Enum>::values) names.emplace_back(text);
  const auto find = [set](const std::string& given) {
    for (const auto& [value, text] : EnumNames<Enum>::values) {
      if (given == text) set(value);
    }
  };
  return app.add_option_function<std::string>(name, find, help)
      ->check(CLI::IsMember(names))
      ->type_name("NAME");
}

// An option that takes the YAML names of an enum (EnumNames) and writes its value to `target`,
// whose present value is shown as the default.
template <class Enum>
CLI::Option* add_enum_option(CLI::App& app, const std::string& name, Enum& target,
                             const std::string& help) {
  return enum_option<Enum>(app, name, help, [&target](Enum value) { target = value; })
      ->default_str(std::string(enum_name(target)));
}

// As above, of an option without a default of its own.
template <class Enum>
CLI::Option* add_enum_option(CLI::App& app, const std::string& name, std::optional<Enum>& target,
                             const std::string& help) {
  return enum_option<Enum>(app, name, help, [&target](Enum value) { target = value; });
}

}  // namespace dualdepth
