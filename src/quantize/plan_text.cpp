#include "dualdepth/quantize/plan_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "dualdepth/quantize/choose_range.h"

namespace dualdepth::quantize {
namespace {

constexpr size_t kNameWidth = 48;

std::string head_text(const HeadPolicy& head) {
  const bool is_centred = head.centring != CentringOrder::kNone;
  return fmt::format("{}, shift {:.6g}",
                     is_centred ? fmt::format("centred {}", enum_name(head.centring)) : "as it is",
                     head.shift);
}

std::string value_text(const graph::FakeQuantize& value) {
  const ValueRange range = range_of(value);
  return fmt::format("{:>12.6g} {:>10} {:>5} {:>12.6g} {:>12.6g}", value.scale, value.zero_point,
                     value.bits, range.low, range.high);
}

std::string filter_text(const FilterScales& filter) {
  const auto [least, greatest] = std::ranges::minmax_element(filter.scales);
  return fmt::format("{:>12} {:>16} {:>12.6g} {:>12.6g}", filter.bits, filter.scales.size(), *least,
                     *greatest);
}

std::string change_text(const graph::FakeQuantize& first, const graph::FakeQuantize& second) {
  const ValueRange from = range_of(first);
  const ValueRange to = range_of(second);
  std::string text = fmt::format("low {:+.2f} codes, high {:+.2f} codes (scale {:.6g} to {:.6g})",
                                 (to.low - from.low) / first.scale,
                                 (to.high - from.high) / first.scale, first.scale, second.scale);
  if (first.bits != second.bits) text += fmt::format(", {} to {} bits", first.bits, second.bits);
  return text;
}

std::string change_text(const FilterScales& first, const FilterScales& second) {
  if (first.scales.size() != second.scales.size()) {
    return fmt::format("{} scales, then {}", first.scales.size(), second.scales.size());
  }
  double greatest = 0;
  size_t at = 0;
  const double last = std::exp2(static_cast<double>(first.bits - 1)) - 1;
  for (size_t i = 0; i < first.scales.size(); ++i) {
    const double change = last * (static_cast<double>(second.scales[i]) / first.scales[i] - 1);
    if (std::abs(change) <= std::abs(greatest)) continue;
    greatest = change;
    at = i;
  }
  std::string text = fmt::format("up to {:+.2f} codes (filter {})", greatest, at);
  if (first.bits != second.bits) text += fmt::format(", {} to {} bits", first.bits, second.bits);
  return text;
}

std::string change_text(const std::vector<float>& first, const std::vector<float>& second) {
  if (first.size() != second.size()) {
    return fmt::format("{} factors, then {}", first.size(), second.size());
  }
  double greatest = 1;
  size_t at = 0;
  for (size_t i = 0; i < first.size(); ++i) {
    const double ratio = static_cast<double>(second[i]) / first[i];
    if (std::abs(std::log(ratio)) <= std::abs(std::log(greatest))) continue;
    greatest = ratio;
    at = i;
  }
  return fmt::format("up to {:.4g} times (channel {})", greatest, at);
}

template <class Entry>
std::string map_differences(const char* what, const std::map<std::string, Entry>& first,
                            const std::map<std::string, Entry>& second) {
  std::set<std::string> names;
  for (const auto& [name, unused] : first) names.insert(name);
  for (const auto& [name, unused] : second) names.insert(name);
  std::string text;
  for (const auto& name : names) {
    const auto a = first.find(name);
    const auto b = second.find(name);
    std::string change;
    if (a == first.end() || b == second.end()) {
      change = fmt::format("only in the {} plan", a == first.end() ? "second" : "first");
    } else if (a->second != b->second) {
      change = change_text(a->second, b->second);
    }
    if (!change.empty()) text += fmt::format("{:<9} {}: {}\n", what, name, change);
  }
  return text;
}

std::string difference(const char* what, const std::string& first, const std::string& second) {
  return first == second ? "" : fmt::format("{:<9} {}, then {}\n", what, first, second);
}

std::string names_text(std::vector<std::string> names) {
  std::ranges::sort(names);
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::string plan_text(const Plan& plan) {
  std::string text = fmt::format("network    {}\n", plan.network);
  text += fmt::format("target     {}, filters {}\n", plan.target.name, enum_name(plan.granularity));
  text += fmt::format("head       {}\n", head_text(plan.head));
  text += fmt::format("equalized  {} groups of channels\n", plan.equalization.size());
  text += fmt::format("float      {}\n", names_text(plan.float_convs));
  text += fmt::format("\n{:<{}} {:>12} {:>10} {:>5} {:>12} {:>12}\n", "value", kNameWidth, "scale",
                      "zero point", "bits", "low", "high");
  for (const auto& [name, value] : plan.values) {
    text += fmt::format("{:<{}} {}\n", name, kNameWidth, value_text(value));
  }
  text += fmt::format("\n{:<{}} {:>12} {:>16} {:>12} {:>12}\n", "filters", kNameWidth, "bits",
                      "scales", "least", "greatest");
  for (const auto& [name, filter] : plan.filters) {
    text += fmt::format("{:<{}} {}\n", name, kNameWidth, filter_text(filter));
  }
  return text;
}

std::string plan_differences(const Plan& first, const Plan& second) {
  std::string text = difference("network", first.network, second.network);
  text += difference("target", first.target.name, second.target.name);
  if (first.target.name == second.target.name && first.target != second.target) {
    text += fmt::format("{:<9} {}, with other rules\n", "target", first.target.name);
  }
  text += difference("filters", std::string(enum_name(first.granularity)),
                     std::string(enum_name(second.granularity)));
  text += difference("head", head_text(first.head), head_text(second.head));
  if (first.head.filter != second.head.filter || first.head.offset != second.head.offset) {
    text += fmt::format("{:<9} centred with another filter or offset\n", "head");
  }
  text += difference("float", names_text(first.float_convs), names_text(second.float_convs));
  text += map_differences("equalized", first.equalization, second.equalization);
  text += map_differences("value", first.values, second.values);
  text += map_differences("filters", first.filters, second.filters);
  return text;
}

}  // namespace dualdepth::quantize
