#include "plan_options.h"

#include <algorithm>

#include "dualdepth/base/error.h"

namespace dualdepth {
namespace {

// Options that a plan has decided.
constexpr const char* kDecided[] = {"--profile", "--target",     "--ranges",
                                    "--weights", "--keep-float", "--budget"};
constexpr const char* kDecidedSteps[] = {"centring", "equalization"};

}  // namespace

std::optional<quantize::Plan> PlanOptions::plan(const std::vector<std::string>& without) const {
  if (load.empty()) return std::nullopt;
  for (const char* name : kDecidedSteps) {
    if (std::ranges::count(without, name) == 0) continue;
    throw Error({.subject = "--plan",
                 .expected = "no --without of what the plan decides",
                 .got = std::string("--without ") + name,
                 .fix = "leave it out, or edit the plan"});
  }
  return quantize::read_plan(load);
}

void PlanOptions::write(const quantize::Plan& plan) const {
  if (!save.empty()) quantize::write_plan(save, plan);
}

std::vector<std::filesystem::path> PlanOptions::files() const {
  return save.empty() ? std::vector<std::filesystem::path>() : std::vector{save};
}

void add_plan_options(CLI::App& verb, PlanOptions& options) {
  verb.add_option("--save-plan", options.save,
                  "also write the plan (JSON): the scales of all values and filters and all else "
                  "that decides the file but adaptive rounding and bias correction")
      ->type_name("FILE");
  CLI::Option* load = verb.add_option("--plan", options.load,
                                      "quantize by this plan, such as an edited one, without "
                                      "trials and without measuring ranges")
                          ->type_name("FILE");
  for (const char* name : kDecided) load->excludes(verb.get_option(name));
}

}  // namespace dualdepth
