#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

std::string message_of(const ErrorParts& parts) {
  std::string message = parts.subject + ": expected " + parts.expected + ", got " + parts.got;
  if (!parts.fix.empty()) message += "; " + parts.fix;
  return message;
}

}  // namespace

Error::Error(ErrorParts parts) : std::runtime_error(message_of(parts)), parts_(std::move(parts)) {}

}  // namespace dualdepth
