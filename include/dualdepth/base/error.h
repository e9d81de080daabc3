#pragma once

#include <stdexcept>
#include <string>

namespace dualdepth {

// The four things a user needs to mend a fault. `subject` names the file (with line where known) or
// the key; `fix` may be empty where expected and got say it all.
struct ErrorParts {
  std::string subject;
  std::string expected;
  std::string got;
  std::string fix;
};

// "SUBJECT: expected EXPECTED, got GOT; FIX"
std::string to_string(const ErrorParts& parts);

// Every fault that comes from outside (a file, an option, a device) is thrown as an Error.
// what() is to_string of the parts. The program exits with code 2.
class Error : public std::runtime_error {
 public:
  explicit Error(ErrorParts parts);

  // A message that is already complete, such as a list of all problems of one file.
  explicit Error(const std::string& message) : std::runtime_error(message) {}

  const ErrorParts& parts() const { return parts_; }

 private:
  ErrorParts parts_;
};

// The user's configuration is wrong; the subject is the key, with FILE:LINE in front where known.
class ConfigError : public Error {
 public:
  using Error::Error;
};

}  // namespace dualdepth
