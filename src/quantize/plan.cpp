#include "dualdepth/quantize/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/config/field_reader.h"
#include "dualdepth/config/options_json.h"
#include "dualdepth/config/versioned_json.h"
#include "target_operators.h"

namespace dualdepth::quantize {
namespace {

constexpr uintmax_t kMaxFileBytes = 1 << 27;
constexpr size_t kMaxNames = 100'000;

bool is_power_of_two(float scale) {
  int exponent = 0;
  return std::frexp(scale, &exponent) == 0.5F;
}

// Gathers what is wrong with a plan's entries.
class Checks {
 public:
  void expect(bool holds, const std::string& subject, const std::string& expected,
              const std::string& got) {
    if (!holds)
      problems_.push_back({.subject = subject, .expected = expected, .got = got, .fix = ""});
  }

  void expect_bits(const std::string& subject, int64_t bits) {
    expect(bits == 8 || bits == 16, subject + ".bits", "8 or 16", fmt::format("{}", bits));
  }

  void expect_positive(const std::string& subject, const std::vector<float>& numbers) {
    const auto found = std::ranges::find_if(numbers, [](float x) { return !(x > 0); });
    expect(found == numbers.end(), subject, "numbers above 0",
           found == numbers.end() ? "" : fmt::format("{}", *found));
  }

  void include(const std::string& group, std::vector<ErrorParts> problems) {
    for (ErrorParts& problem : problems) {
      problem.subject.insert(0, group + ".");
      problems_.push_back(std::move(problem));
    }
  }

  std::vector<ErrorParts> take() { return std::move(problems_); }

 private:
  std::vector<ErrorParts> problems_;
};

void check_value(const std::string& subject, const graph::FakeQuantize& value,
                 const ValueRules& rules, Checks& checks) {
  const auto scale = fmt::format("{}", value.scale);
  checks.expect(value.scale > 0, subject + ".scale", "a number above 0", scale);
  if (rules.has_power_of_two_scale && value.scale > 0) {
    checks.expect(is_power_of_two(value.scale), subject + ".scale",
                  "a power of two, which the target's scales are", scale);
  }
  checks.expect_bits(subject, value.bits);
  checks.expect(value.is_signed == rules.is_symmetric, subject + ".signed",
                fmt::format("{}, as the target's values are", rules.is_symmetric),
                fmt::format("{}", value.is_signed));
  const int64_t last =
      rules.is_symmetric ? 0 : (int64_t{1} << std::min<int64_t>(value.bits, 16)) - 1;
  checks.expect(value.zero_point >= 0 && value.zero_point <= last, subject + ".zero_point",
                last == 0 ? "0 for symmetric values" : fmt::format("0 to {}", last),
                fmt::format("{}", value.zero_point));
}

template <class Value>
void take_names(const nlohmann::ordered_json& json, const char* key, const std::string& origin,
                std::map<std::string, Value>& named) {
  const auto group = json.find(key);
  if (group == json.end()) return;
  if (!group->is_object() || group->size() > kMaxNames) {
    throw ConfigError({.subject = origin + ": " + key,
                       .expected = fmt::format("at most {} entries by name", kMaxNames),
                       .got = group->is_object() ? "more" : group->type_name(),
                       .fix = ""});
  }
  for (const auto& [name, unused] : group->items()) named[name] = {};
}

}  // namespace

std::vector<ErrorParts> Plan::problems() const {
  Checks checks;
  checks.include("target", target.problems());
  checks.expect(std::ranges::count(target.weights.granularities, granularity) > 0, "granularity",
                fmt::format("one of target {}", target.name), std::string(enum_name(granularity)));
  const bool is_centred = head.centring != CentringOrder::kNone;
  checks.expect(is_centred != head.filter.empty(), "head.filter",
                is_centred ? "a filter to centre with" : "none without centring",
                fmt::format("{} numbers", head.filter.size()));
  for (const auto& [name, factors] : equalization) {
    checks.expect(!factors.empty(), "equalization." + name, "factors", "none");
  }
  for (const auto& [name, value] : values) {
    check_value("values." + name, value, target.values, checks);
  }
  for (const auto& [name, filter] : filters) {
    const auto subject = "filters." + name;
    checks.expect_bits(subject, filter.bits);
    checks.expect_positive(subject + ".scales", filter.scales);
    const bool per_tensor = granularity == WeightGranularity::kPerTensor;
    checks.expect(per_tensor ? filter.scales.size() == 1 : !filter.scales.empty(),
                  subject + ".scales", per_tensor ? "one scale" : "a scale for each filter",
                  fmt::format("{}", filter.scales.size()));
    checks.expect(std::ranges::count(float_convs, name) == 0, subject,
                  "no scales of a convolution that stays float", "some");
  }
  return checks.take();
}

std::string to_json(const Plan& plan) { return readable_json(options_json(plan)) + "\n"; }

Plan parse_plan(const std::string& text, const std::string& origin) {
  const auto json = parse_versioned_json(text, origin, kPlanVersion, kPlanVersion);
  Plan plan;
  if (json.contains("target") && json["target"].is_object()) {
    plan.target.operators = operators_named_in(json["target"], origin + ": target");
  }
  take_names(json, "equalization", origin, plan.equalization);
  take_names(json, "values", origin, plan.values);
  take_names(json, "filters", origin, plan.filters);
  FieldReader reader(field_table(plan), origin,
                     {"target.operators", "equalization", "values", "filters"});
  reader.read_file(text);
  reader.add_relations(plan.problems());
  reader.throw_problems();
  return plan;
}

void write_plan(const std::filesystem::path& file, const Plan& plan) {
  write_file_atomically(file, to_json(plan));
}

Plan read_plan(const std::filesystem::path& file) {
  return parse_plan(read_file(file, kMaxFileBytes), file.string());
}

}  // namespace dualdepth::quantize
