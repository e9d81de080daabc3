#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <string>

#include "dualdepth/config/data_options.h"
#include "dualdepth/config/train_options.h"

namespace dualdepth {

// The samples to judge by and how: what eval, verify and compare share.
struct JudgedData {
  DataOptions data;
  EvaluationOptions evaluation;
};

// Their command-line options.
class EvaluationData {
 public:
  // Adds --data or --dataset, --root, --split and the rest, --protocol, --range, --scaling, --flip.
  void add_to(CLI::App& verb);

  // What was chosen: the command line's word before that of --data CONFIG. Throws Error when
  // neither names samples.
  JudgedData resolve() const;

 private:
  std::filesystem::path config_;
  DataOptions data_;
  std::optional<std::string> protocol_;
  std::string range_;
  std::optional<ScalingKind> scaling_;
  bool flip_ = false;
  bool classes_ = false;
};

}  // namespace dualdepth
