#pragma once

#include <ostream>

#include "dualdepth/config/field.h"

namespace dualdepth {

// GoogleTest prints an option's enumerator by the name that configurations use.
template <class Enum>
requires requires { EnumNames<Enum>::values; }
void PrintTo(const Enum& value, std::ostream* out) { *out << enum_name(value); }

}  // namespace dualdepth
