#pragma once

#include <CLI/CLI.hpp>

namespace dualdepth {

// Exit codes that scripts rely on.
inline constexpr int kExitDone = 0;
inline constexpr int kExitCheckFailed = 1;  // a check did not hold
inline constexpr int kExitWrongInput = 2;   // wrong input or use
inline constexpr int kExitInterrupted = 130;

// What all verbs share.
struct ProgramState {
  bool quiet = false;
  int exit_code = kExitDone;
};

// Each adds its verb to the program; the verb parses its options, calls the library and prints.
// Results go to standard output, progress and log to standard error.
using AddVerb = void (*)(CLI::App& program, ProgramState& state);

void add_bench(CLI::App& program, ProgramState& state);
void add_compare(CLI::App& program, ProgramState& state);
void add_eval(CLI::App& program, ProgramState& state);
void add_compare_layers(CLI::App& program, ProgramState& state);
void add_export(CLI::App& program, ProgramState& state);
void add_inspect(CLI::App& program, ProgramState& state);
void add_predict(CLI::App& program, ProgramState& state);
void add_quantize(CLI::App& program, ProgramState& state);
void add_study(CLI::App& program, ProgramState& state);
void add_synthesize(CLI::App& program, ProgramState& state);
void add_train(CLI::App& program, ProgramState& state);
void add_tune(CLI::App& program, ProgramState& state);
void add_verify(CLI::App& program, ProgramState& state);

}  // namespace dualdepth
