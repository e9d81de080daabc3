#pragma once

#include <CLI/CLI.hpp>

#include "verbs.h"

namespace dualdepth {

// Each adds one subject to `dualdepth inspect`, in a file of its own.
void add_inspect_codec(CLI::App& inspect, ProgramState& state);
void add_inspect_data(CLI::App& inspect, ProgramState& state);
void add_inspect_graph(CLI::App& inspect, ProgramState& state);
void add_inspect_lint(CLI::App& inspect, ProgramState& state);
void add_inspect_model(CLI::App& inspect, ProgramState& state);
void add_inspect_plan(CLI::App& inspect, ProgramState& state);

}  // namespace dualdepth
