#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "dualdepth/config/contract.h"
#include "dualdepth/quantize/quantize_graph.h"

namespace dualdepth {

// The options of `quantize` that read and write plans and what is made of them.
struct PlanOptions {
  std::filesystem::path load, save, encodings;

  // The plan of --plan. Throws Error when `without` leaves out what a plan decides.
  std::optional<quantize::Plan> plan(const std::vector<std::string>& without) const;

  // Writes what was asked for.
  void write(const quantize::Quantization& quantization, const Contract& contract) const;
};

// Called once the options that a plan decides are there: --plan excludes them.
void add_plan_options(CLI::App& verb, PlanOptions& options);

}  // namespace dualdepth
