#include "dualdepth/base/error.h"

#include <utility>

namespace dualdepth {

std::string to_string(const ErrorParts& parts) {
  std::string message = parts.subject + ": expected " + parts.expected + ", got " + parts.got;
  if (!parts.fix.empty()) message += "; " + parts.fix;
  return message;
}

Error::Error(ErrorParts parts) : std::runtime_error(to_string(parts)), parts_(std::move(parts)) {}

}  // namespace dualdepth
