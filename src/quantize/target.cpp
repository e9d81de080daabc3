#include "dualdepth/quantize/target.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

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

ValueFormat Target::value_format(int64_t bits) const {
  return {.is_symmetric = values.is_symmetric,
          .has_power_of_two_scale = values.has_power_of_two_scale,
          .bits = bits};
}

std::vector<int64_t> Target::value_bits(const graph::Operation& operation) const {
  const auto own = rule(operation).value_bits;
  return own.empty() ? values.bits : own;
}

std::vector<int64_t> Target::weight_bits(const graph::Operation& operation) const {
  const auto own = rule(operation).weight_bits;
  return own.empty() ? weights.bits : own;
}

void expect_outputs(const Target& target, const Contract& contract) {
  for (const OutputContract& output : contract.outputs) {
    if (std::ranges::count(target.outputs, output.is) > 0) continue;
    std::vector<std::string_view> allowed;
    allowed.reserve(target.outputs.size());
    for (const OutputKind kind : target.outputs) allowed.push_back(enum_name(kind));
    throw Error({.subject = fmt::format("target {}", target.name),
                 .expected = fmt::format("outputs that it may have: {}", fmt::join(allowed, ", ")),
                 .got = fmt::format("{}, which is {}", output.name, enum_name(output.is)),
                 .fix = "export the network with other outputs, or choose another target"});
  }
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
  expect_some("outputs", outputs.empty());
  const auto check_bits = [&](const std::string& key, const std::vector<int64_t>& all) {
    for (const int64_t bits : all) {
      if (bits == 8 || bits == 16) continue;
      problems.push_back(
          {.subject = key, .expected = "8 or 16", .got = fmt::format("{}", bits), .fix = ""});
    }
  };
  check_bits("values.bits", values.bits);
  check_bits("weights.bits", weights.bits);
  for (const auto& [name, rule] : operators) {
    check_bits("operators." + name + ".value_bits", rule.value_bits);
    check_bits("operators." + name + ".weight_bits", rule.weight_bits);
  }
  const bool for_npu = profile == OnnxProfile::kNpu;
  if (for_npu ? opset != 9 : opset < 13) {
    problems.push_back({.subject = "opset",
                        .expected = for_npu ? "9, that of profile npu" : "13 to 21",
                        .got = fmt::format("{}", opset),
                        .fix = ""});
  }
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
