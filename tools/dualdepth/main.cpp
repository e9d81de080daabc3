#include <array>
#include <cstdio>
#include <exception>

#include "dualdepth/base/error.h"
#include "dualdepth/base/log.h"
#include "verbs.h"

namespace dualdepth {
namespace {

constexpr std::array kVerbs{add_train,  add_study,   add_eval,   add_compare,  add_compare_layers,
                            add_verify, add_predict, add_export, add_quantize, add_synthesize,
                            add_bench,  add_inspect, add_tune};

int run(int argc, char** argv) {
  CLI::App program("Metric depth from one camera that survives 8-bit deployment.", "dualdepth");
  ProgramState state;
  program.require_subcommand(1);
  program.fallthrough();
  program.set_version_flag("--version", "dualdepth " DUALDEPTH_VERSION);
  program.add_flag("--quiet", state.quiet, "Log only warnings and errors");
  program.parse_complete_callback([&] { set_up_log(state.quiet); });
  for (const AddVerb add : kVerbs) add(program, state);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? kExitDone : kExitWrongInput;
  } catch (const Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return kExitWrongInput;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "internal error: %s\n", error.what());
    return kExitWrongInput;
  }
  return state.exit_code;
}

}  // namespace
}  // namespace dualdepth

int main(int argc, char** argv) { return dualdepth::run(argc, argv); }
