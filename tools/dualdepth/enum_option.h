#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "dualdepth/config/field.h"

namespace dualdepth {

// An option that takes the YAML names of an enum (EnumNames) and writes its value to `target`,
// whose present value is shown as the default.
template <class Enum>
CLI::Option* add_enum_option(CLI::App& app, const std::string& name, Enum& target,
                             const std::string& help) {
  std::vector<std::string> names;
  names.reserve(EnumNames<Enum>::values.size());
  for (const auto& [value, text] : EnumNames<Enum>::values) names.emplace_back(text);
  const auto set = [&target](const std::string& given) {
    for (const auto& [value, text] : EnumNames<Enum>::values) {
      if (given == text) target = value;
    }
  };
  return app.add_option_function<std::string>(name, set, help)
      ->check(CLI::IsMember(names))
      ->type_name("NAME")
      ->default_str(std::string(enum_name(target)));
}

}  // namespace dualdepth
