#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "dualdepth/quantize/plan_text.h"
#include "inspect.h"

namespace dualdepth {

void add_inspect_plan(CLI::App& inspect, ProgramState&) {
  struct Options {
    std::filesystem::path file, other;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* verb = inspect.add_subcommand(
      "plan", "Print a quantization plan, or what differs between two of them");
  verb->add_option("FILE", options->file, "plan that quantize --save-plan wrote")->required();
  verb->add_option("OTHER", options->other, "second plan to compare with the first");
  verb->footer("Example: dualdepth inspect plan plan.json edited.json");
  verb->callback([options] {
    const quantize::Plan plan = quantize::read_plan(options->file);
    if (options->other.empty()) {
      fmt::print("{}", quantize::plan_text(plan));
      return;
    }
    const auto differences = quantize::plan_differences(plan, quantize::read_plan(options->other));
    fmt::print("{}", differences.empty() ? "the plans are equal\n" : differences);
  });
}

}  // namespace dualdepth
