#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/onnx/lint.h"
#include "enum_option.h"
#include "inspect.h"

namespace dualdepth {
namespace {

nlohmann::ordered_json findings_json(const std::vector<LintFinding>& findings) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& finding : findings) {
    list.push_back({{"node", finding.node},
                    {"rule", finding.rule.name},
                    {"expected", finding.rule.says},
                    {"got", finding.got},
                    {"fix", finding.rule.fix}});
  }
  return list;
}

}  // namespace

void add_inspect_lint(CLI::App& inspect, ProgramState& state) {
  struct Options {
    std::filesystem::path file;
    LintTarget target = LintTarget::kNpu;
    std::filesystem::path json;
    bool rules = false;
  };
  const auto options = std::make_shared<Options>();
  CLI::App* verb = inspect.add_subcommand(
      "lint", "Hold any ONNX file against the rules of a chip; exits 1 when one is broken");
  auto* file = verb->add_option("FILE", options->file, "ONNX file, ours or another exporter's");
  add_enum_option(*verb, "--target", options->target, "the chip or its compiler");
  verb->add_option("--json", options->json, "also write the findings")->type_name("FILE");
  verb->add_flag("--rules", options->rules, "print the table of rules instead")->excludes(file);
  verb->footer("Example: dualdepth inspect lint depth.onnx --target npu");
  verb->callback([options, &state] {
    if (options->rules) {
      for (const auto& rule : lint_rules(options->target)) {
        fmt::print("{:<16} {}; {}\n", rule.name, rule.says, rule.fix);
      }
      return;
    }
    if (options->file.empty()) throw CLI::RequiredError("FILE");
    const auto findings = lint(OnnxFile(options->file), options->target);
    for (const auto& finding : findings) {
      fmt::print("{}: {}: expected {}, got {}; {}\n", finding.node, finding.rule.name,
                 finding.rule.says, finding.got, finding.rule.fix);
    }
    if (!options->json.empty()) {
      write_file_atomically(options->json, findings_json(findings).dump(2) + "\n");
    }
    if (findings.empty()) {
      fmt::print("{}: all {} rules of {} hold\n", options->file.string(),
                 lint_rules(options->target).size(), enum_name(options->target));
    } else {
      fmt::print("{}: {} broken\n", options->file.string(), findings.size());
      state.exit_code = kExitCheckFailed;
    }
  });
}

}  // namespace dualdepth
