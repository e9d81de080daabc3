#include "dualdepth/quantize/target.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "built_in_targets.h"
#include "dualdepth/base/atomic_file.h"
#include "dualdepth/config/field_reader.h"
#include "dualdepth/config/options_json.h"
#include "dualdepth/config/versioned_json.h"
#include "target_operators.h"

namespace dualdepth::quantize {
namespace {

constexpr uintmax_t kMaxFileBytes = 1 << 20;
constexpr size_t kMaxOperators = 1000;

}  // namespace

std::map<std::string, OperatorRule> operators_named_in(const nlohmann::ordered_json& json,
                                                       const std::string& subject) {
  const auto named = json.find("operators");
  if (named == json.end() || !named->is_object() || named->size() > kMaxOperators) {
    throw ConfigError({.subject = subject + ": operators",
                       .expected = "rules by the name of the operator",
                       .got = named == json.end() ? "nothing" : "another value",
                       .fix = "quantize/target.h shows a whole file"});
  }
  std::map<std::string, OperatorRule> operators;
  for (const auto& [kind, unused] : named->items()) operators[kind] = {};
  return operators;
}

bool OperatorRule::fuses_with(Fused other) const { return std::ranges::count(fuses, other) > 0; }

OperatorRule Target::rule(const graph::Operation& operation) const {
  const auto found = operators.find(std::string(graph::kind_name(operation)));
  return found == operators.end() ? OperatorRule() : found->second;
}

ValueFormat Target::value_format() const {
  return {.is_symmetric = values.is_symmetric,
          .has_power_of_two_scale = values.has_power_of_two_scale};
}

std::vector<ErrorParts> Target::problems() const {
  std::vector<ErrorParts> problems;
  const auto expect_some = [&](const char* key, bool is_empty) {
    if (!is_empty) return;
    problems.push_back({.subject = key, .expected = "at least one", .got = "none", .fix = ""});
  };
  expect_some("values.bits", values.bits.empty());
  expect_some("weights.bits", weights.bits.empty());
  expect_some("weights.granularities", weights.granularities.empty());
  return problems;
}

Target parse_target(std::string_view text, const std::string& subject) {
  const std::string json(text);
  Target target;
  target.operators = operators_named_in(
      parse_versioned_json(json, subject, kTargetVersion, kTargetVersion), subject);
  FieldReader reader(field_table(target), subject, {"operators"});
  reader.read_file(json);
  reader.add_relations(target.problems());
  reader.throw_problems();
  return target;
}

Target read_target(const std::filesystem::path& file) {
  return parse_target(read_file(file, kMaxFileBytes), file.string());
}

std::string to_json(const Target& target) { return readable_json(options_json(target)); }

const Target& target_of(OnnxProfile profile) {
  static const std::vector<Target> targets = [] {
    std::vector<Target> all;
    for (const auto text : built_in_targets()) all.push_back(parse_target(text, "built-in target"));
    return all;
  }();
  return *std::ranges::find(targets, profile, &Target::profile);
}

}  // namespace dualdepth::quantize
