#include "inspect.h"

#include <array>

namespace dualdepth {
namespace {

constexpr std::array kSubjects{add_inspect_codec, add_inspect_data,  add_inspect_graph,
                               add_inspect_lint,  add_inspect_model, add_inspect_plan};

}  // namespace

void add_inspect(CLI::App& program, ProgramState& state) {
  CLI::App* inspect = program.add_subcommand(
      "inspect", "Show what lies in a codec, data, a model, its graph or a plan");
  inspect->require_subcommand(1);
  inspect->footer("Example: dualdepth inspect codec --max-depth 30");
  for (const AddVerb add : kSubjects) add(*inspect, state);
}

}  // namespace dualdepth
