#include "plan_options.h"

#include <algorithm>

#include "dualdepth/base/error.h"
#include "dualdepth/quantize/encodings.h"

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

void PlanOptions::write(const quantize::Quantization& quantization,
                        const Contract& contract) const {
  if (!save.empty()) quantize::write_plan(save, quantization.plan);
  if (!encodings.empty()) quantize::write_encodings(quantization, contract, encodings);
}

void add_plan_options(CLI::App& verb, PlanOptions& options) {
  verb.add_option("--save-plan", options.save,
                  "also write the plan (JSON): the scales of all values and filters and all else "
                  "that decides the file but adaptive rounding and bias correction")
      ->type_name("FILE");
  verb.add_option("--encodings", options.encodings,
                  "also write, for tools that quantize by themselves: the float network with "
                  "rounded filters, its scales as AIMET's encodings (Qualcomm's converters) and as "
                  "TensorRT's calibration cache")
      ->type_name("DIR");
  CLI::Option* load = verb.add_option("--plan", options.load,
                                      "quantize by this plan, such as an edited one, without "
                                      "trials and without measuring ranges")
                          ->type_name("FILE");
  for (const char* name : kDecided) load->excludes(verb.get_option(name));
}

}  // namespace dualdepth
