#pragma once

#include <array>
#include <limits>
#include <string_view>
#include <utility>

namespace dualdepth {

// What is known of one key besides its name, type and default. An option struct lists its keys in
//
//   template <class Visitor> void visit(Visitor& v) { v.field("lr", lr, {.help = ..., .min = 0}); }
//
// and that one list serves reading YAML, overrides, checks, `--explain`, docs/config.md and the
// resolved YAML of a run. A nested struct is listed with v.group("name", member).
struct FieldInfo {
  std::string_view help;       // one line, no full stop
  std::string_view unit = "";  // "m", "px", "s" ...; empty when it has none
  double min = -std::numeric_limits<double>::infinity();  // inclusive; for each element of a list
  double max = std::numeric_limits<double>::infinity();   // inclusive
  int length = -1;                                        // of a list; -1: any
  bool is_required = false;                               // a file must hold the key
};

// The YAML names of an enum's values, specialised beside each enum:
//   static constexpr std::array values{std::pair{SpacingKind::kLinear, "linear"}, ...};
template <class Enum>
struct EnumNames;

template <class Enum>
constexpr std::string_view enum_name(Enum value) {
  for (const auto& [candidate, name] : EnumNames<Enum>::values) {
    if (candidate == value) return name;
  }
  return "?";
}

}  // namespace dualdepth
