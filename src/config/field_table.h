#pragma once

#include <yaml-cpp/node/node.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dualdepth/config/contract.h"
#include "dualdepth/config/run_config.h"

namespace dualdepth {

// What is wrong with a value; the caller knows the key and the line.
struct ValueProblem {
  std::string expected;
  std::string got;
};

// One key of the configuration, bound to its variable, with its type erased.
struct Field {
  std::string path;   // "model.params.max_depth"
  std::string type;   // "number", "list of 2 whole numbers", "rounded, continuous or step" ...
  std::string range;  // "0.01 to 10000", "at least 0"; empty: any
  FieldInfo info;
  bool is_text = false;

  // The variable's value as YAML on one line.
  std::function<std::string()> value;

  // Sets the variable, or says why it cannot.
  std::function<std::optional<ValueProblem>(const YAML::Node&)> assign;
};

// All keys in the order of visit(), bound to `config`, which must outlive them.
std::vector<Field> field_table(RunConfig& config);

// The same of a contract, whose outputs are there with their names.
std::vector<Field> field_table(Contract& contract);

}  // namespace dualdepth
