#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <regex>
#include <string>

#include "dualdepth/base/error.h"
#include "dualdepth/config/run_config.h"
#include "testing/build_paths.h"

namespace dualdepth {
namespace {

using ::testing::HasSubstr;

// A row of docs/config.md that promises a range.
struct DocumentedRange {
  std::string key;
  size_t length = 0;  // of a list; 0: a single number
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

// `## section`, then rows `| key | default | type | range | meaning |`.
std::vector<DocumentedRange> documented_ranges() {
  const std::regex section("## `([a-z._]+)`");
  const std::regex row(R"(\| `([a-z_0-9]+)` \| `[^`]*` \| ([^|]+) \| ([^|]+) \|.*)");
  const std::regex between(R"((-?[0-9.e-]+) to (-?[0-9.e-]+).*)");
  const std::regex at_least(R"(at least (-?[0-9.e-]+).*)");
  const std::regex list(R"(list of ([0-9]*) ?.*)");
  std::vector<DocumentedRange> ranges;
  std::string prefix;
  std::ifstream page(testing::source_dir() / "docs/config.md");
  for (std::string line; std::getline(page, line);) {
    std::smatch match;
    if (std::regex_match(line, match, section)) prefix = match[1].str() + ".";
    if (!std::regex_match(line, match, row)) continue;
    DocumentedRange range;
    range.key = prefix + match[1].str();
    const std::string type = match[2];
    const std::string text = match[3];
    std::smatch numbers;
    if (std::regex_match(type, numbers, list)) {
      range.length = numbers[1].length() > 0 ? std::stoul(numbers[1]) : 1;
    }
    if (std::regex_match(text, numbers, between)) {
      range.low = std::stod(numbers[1]);
      range.high = std::stod(numbers[2]);
    } else if (std::regex_match(text, numbers, at_least)) {
      range.low = std::stod(numbers[1]);
    } else {
      continue;
    }
    ranges.push_back(range);
  }
  return ranges;
}

// What `key=value` is told on the command line; empty when it is taken.
std::string complaint(const DocumentedRange& range, double number) {
  std::string value = std::to_string(std::llround(number));
  for (size_t i = 1; i < range.length; ++i) value += "," + std::to_string(std::llround(number));
  if (range.length > 0) value = "[" + value + "]";
  try {
    parse_run_config("", "run.yaml", std::vector<std::string>{range.key + "=" + value});
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(ConfigRanges, EveryRangeOfTheDocumentationIsHeld) {
  const auto ranges = documented_ranges();
  EXPECT_GT(ranges.size(), 40u);
  for (const DocumentedRange& range : ranges) {
    const std::string refused = "override " + range.key + ": expected ";
    EXPECT_THAT(complaint(range, std::floor(range.low) - 1), HasSubstr(refused)) << range.key;
    if (std::isinf(range.high)) continue;
    EXPECT_THAT(complaint(range, std::ceil(range.high) + 1), HasSubstr(refused)) << range.key;
  }
}

}  // namespace
}  // namespace dualdepth
