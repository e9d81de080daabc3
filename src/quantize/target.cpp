#include "dualdepth/quantize/target.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "built_in_targets.h"
#include "dualdepth/base/error.h"

namespace dualdepth::quantize {
namespace {

using nlohmann::json;

// One object of the file: every key is asked for, and no other key is there.
class Section {
 public:
  Section(const json& object, std::string subject) : object_(object), subject_(std::move(subject)) {
    if (!object.is_object()) fail(subject_, "an object", object.dump());
  }

  void expect_only(std::initializer_list<std::string_view> keys) const {
    for (const auto& [key, value] : object_.items()) {
      if (std::ranges::find(keys, key) != keys.end()) continue;
      fail(subject_, fmt::format("the keys {}", fmt::join(keys, ", ")), key);
    }
  }

  Section section(const char* key) const { return {at(key), subject_ + ": " + key}; }

  std::string text(const char* key) const {
    if (!at(key).is_string()) fail(subject_ + ": " + key, "text", at(key).dump());
    return at(key).get<std::string>();
  }

  bool flag(const char* key, bool otherwise) const {
    if (!object_.contains(key)) return otherwise;
    if (!at(key).is_boolean()) fail(subject_ + ": " + key, "true or false", at(key).dump());
    return at(key).get<bool>();
  }

  void expect(const char* key, const json& value) const {
    if (at(key) != value) fail(subject_ + ": " + key, value.dump(), at(key).dump());
  }

  std::vector<std::string> texts(const char* key) const {
    const bool fits = at(key).is_array() && std::ranges::all_of(at(key), [](const json& entry) {
                        return entry.is_string();
                      });
    if (!fits) fail(subject_ + ": " + key, "a list of texts", at(key).dump());
    return at(key).get<std::vector<std::string>>();
  }

  // A word of an enumeration, whose values and names are given in pairs.
  template <class Enum, class Words>
  Enum word(const char* key, const Words& words) const {
    return word_of<Enum>(text(key), subject_ + ": " + key, words);
  }

  template <class Enum, class Words>
  static Enum word_of(const std::string& text, const std::string& subject, const Words& words) {
    std::string known;
    for (const auto& [value, name] : words) {
      if (text == name) return value;
      known += (known.empty() ? "" : ", ") + std::string(name);
    }
    fail(subject, known, text);
  }

  bool has(const char* key) const { return object_.contains(key); }
  const json& object() const { return object_; }
  const std::string& subject() const { return subject_; }

  [[noreturn]] static void fail(const std::string& subject, const std::string& expected,
                                const std::string& got) {
    throw Error({.subject = subject,
                 .expected = expected,
                 .got = got,
                 .fix = "quantize/target.h shows a whole file"});
  }

 private:
  const json& at(const char* key) const {
    const auto found = object_.find(key);
    if (found == object_.end()) fail(subject_, fmt::format("the key {}", key), "none");
    return *found;
  }

  const json& object_;
  std::string subject_;
};

constexpr std::array kAccessNames{std::pair{Access::kFloat, "float"},
                                  std::pair{Access::kCodes, "codes"},
                                  std::pair{Access::kMoves, "moves"}};
constexpr std::array kBiasNames{std::pair{BiasFormat::kInt32, "int32"},
                                std::pair{BiasFormat::kFloat, "float"}};

OperatorRule rule_from(const Section& section) {
  section.expect_only({"reads", "writes", "one_scale", "fuses"});
  OperatorRule rule{.reads = section.word<Access>("reads", kAccessNames),
                    .writes = section.word<Access>("writes", kAccessNames),
                    .has_one_scale = section.flag("one_scale", false)};
  if (!section.has("fuses")) return rule;
  for (const auto& kind : section.texts("fuses")) {
    if (kind != "Relu" && kind != "Conv") {
      Section::fail(section.subject() + ": fuses", "Relu, Conv", kind);
    }
    (kind == "Relu" ? rule.fuses_relu : rule.fuses_producer) = true;
  }
  return rule;
}

std::vector<WeightGranularity> granularities_from(const Section& weights) {
  std::vector<WeightGranularity> all;
  for (const auto& name : weights.texts("granularities")) {
    all.push_back(Section::word_of<WeightGranularity>(name, weights.subject() + ": granularities",
                                                      EnumNames<WeightGranularity>::values));
  }
  if (all.empty()) Section::fail(weights.subject() + ": granularities", "at least one", "none");
  return all;
}

}  // namespace

OperatorRule Target::rule(const graph::Operation& operation) const {
  const auto found = operators.find(std::string(graph::kind_name(operation)));
  return found == operators.end() ? OperatorRule() : found->second;
}

Target parse_target(std::string_view text, const std::string& subject) {
  const json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
  const Section file(parsed, subject);
  file.expect_only({"format_version", "name", "onnx_profile", "values", "weights", "bias",
                    "rounding", "operators"});
  file.expect("format_version", 1);
  file.expect("rounding", "half-to-even");
  const Section values = file.section("values");
  values.expect_only({"bits", "symmetric", "power_of_two_scales"});
  values.expect("bits", 8);
  const Section weights = file.section("weights");
  weights.expect_only({"bits", "granularities"});
  weights.expect("bits", 8);
  Target target{.name = file.text("name"),
                .profile = file.word<OnnxProfile>("onnx_profile", EnumNames<OnnxProfile>::values),
                .values = {.is_symmetric = values.flag("symmetric", false),
                           .has_power_of_two_scale = values.flag("power_of_two_scales", false)},
                .granularities = granularities_from(weights),
                .bias = file.word<BiasFormat>("bias", kBiasNames),
                .operators = {}};
  const Section operators = file.section("operators");
  for (const auto& [kind, rule] : operators.object().items()) {
    target.operators.emplace(
        kind, rule_from(Section(rule, fmt::format("{}: operators: {}", subject, kind))));
  }
  return target;
}

Target read_target(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) Section::fail(file.string(), "a target", "no file that can be read");
  std::ostringstream text;
  text << stream.rdbuf();
  return parse_target(text.str(), file.string());
}

const Target& target_of(OnnxProfile profile) {
  static const std::vector<Target> targets = [] {
    std::vector<Target> all;
    for (const auto text : built_in_targets()) all.push_back(parse_target(text, "built-in target"));
    return all;
  }();
  return *std::ranges::find(targets, profile, &Target::profile);
}

}  // namespace dualdepth::quantize
