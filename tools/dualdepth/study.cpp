#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/base/error.h"
#include "dualdepth/base/folder_lock.h"
#include "dualdepth/study/prepare_study.h"
#include "dualdepth/study/run_stages.h"
#include "dualdepth/study/run_study.h"
#include "dualdepth/study/study_folder.h"
#include "dualdepth/study/study_page.h"
#include "dualdepth/study/study_result.h"
#include "dualdepth/study/study_text.h"
#include "verbs.h"

namespace dualdepth {
namespace {

namespace fs = std::filesystem;

struct StudyVerb {
  std::vector<std::string> words;  // CONFIG and overrides
  fs::path out;
  fs::path run;
  std::vector<std::string> only;  // variants; empty: all
  int jobs = 0;
  int threads = 0;
  bool plan = false;
  bool report = false;
};

study::StudyConfig read_config(const StudyVerb& verb) {
  if (verb.words.empty() || verb.words.front().find('=') != std::string::npos) {
    throw Error({.subject = "dualdepth study",
                 .expected = "CONFIG.yaml",
                 .got = verb.words.empty() ? "nothing" : verb.words.front(),
                 .fix = "dualdepth study --help shows an example"});
  }
  const std::vector<std::string> overrides(verb.words.begin() + 1, verb.words.end());
  return study::load_study(verb.words.front(), overrides);
}

fs::path folder_of(const StudyVerb& verb, const study::StudyConfig& config) {
  if (!verb.out.empty()) return verb.out;
  return config.output_dir.empty() ? fs::path("runs") / config.name : fs::path(config.output_dir);
}

study::StudyResult write_reports(const study::StudyConfig& config,
                                 const std::vector<study::PlannedRun>& runs, const fs::path& out) {
  study::StudyResult result = study::study_result(config, runs);
  write_file_atomically(out / "study.json", study::study_json(result).dump(1) + "\n");
  write_file_atomically(out / "study.html", study::study_page(result));
  return result;
}

void print_reports(const study::StudyResult& result, const fs::path& out) {
  fmt::print("{}", study::study_table(result));
  fmt::print("{} and {}\n", (out / "study.json").string(), (out / "study.html").string());
}

void run_all(const StudyVerb& verb, ProgramState& state) {
  const study::StudyConfig config = read_config(verb);
  const fs::path out = folder_of(verb, config);
  const std::vector<study::PlannedRun> runs = study::plan_runs(config, out);
  const auto chosen = study::runs_of_variants(config, runs, verb.only);
  if (verb.plan) {
    study::expect_exportable(config, chosen);
    for (const study::PlannedRun& run : chosen) fmt::print("{}\n", run.id());
    return;
  }
  study::expect_folder(out, config, runs);
  if (verb.report) return print_reports(write_reports(config, runs, out), out);
  study::expect_exportable(config, chosen);
  study::bind_folder(out, config, runs);
  const FolderLock lock(out);
  if (!study::render_data(config, out)) {
    state.exit_code = kExitInterrupted;
    return;
  }
  // This very program, also when another one is built in its place meanwhile.
  const study::WorkOptions work{.program = fmt::format("/proc/{}/exe", ::getpid()),
                                .jobs = verb.jobs};
  const auto progress =
      study::run_study(out, chosen, config.judge, work, [&] { write_reports(config, runs, out); });
  print_reports(write_reports(config, runs, out), out);
  if (!progress.failed.empty()) {
    fmt::print(stderr, "{} of {} runs failed; the same command tries them again\n",
               progress.failed.size(), chosen.size());
    state.exit_code = kExitCheckFailed;
  }
  if (progress.was_interrupted) {
    fmt::print(stderr, "interrupted; the same command goes on\n");
    state.exit_code = kExitInterrupted;
  }
}

}  // namespace

void add_study(CLI::App& program, ProgramState& state) {
  const auto options = std::make_shared<StudyVerb>();
  CLI::App* verb = program.add_subcommand(
      "study",
      "Train, export, quantize and evaluate several variants from several seeds on several data "
      "sets, and report what differs");
  verb->add_option("CONFIG", options->words,
                   "CONFIG.yaml of the study, then any number of key.path=value that override it")
      ->option_text("CONFIG.yaml [key.path=value ...]");
  verb->add_option("--out", options->out,
                   "Folder of the study; default: output_dir of CONFIG, else runs/NAME")
      ->type_name("DIR");
  verb->add_option("--jobs", options->jobs,
                   "Number of runs at a time; they share the cores, and the GPUs in turn. 0: one "
                   "for each GPU, without GPUs one for each four cores, or for as many as "
                   "`threads` of CONFIG says")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  verb->add_option("--only", options->only, "Only do the runs of this variant; can be repeated")
      ->type_name("VARIANT")
      ->allow_extra_args(false);
  CLI::Option* plan =
      verb->add_flag("--plan", options->plan,
                     "Only check CONFIG, and that all variants can be exported, and "
                     "print the runs, one a line");
  verb->add_flag("--report", options->report,
                 "Only write study.json and study.html of the runs that are done")
      ->excludes(plan);
  CLI::Option* run = verb->add_option(
      "--run", options->run,
      "Only do the run whose folder this is, in this process: what a study starts for each of its "
      "runs, also by hand or on another machine that shares the folder");
  run->type_name("DIR");
  verb->add_option("--threads", options->threads,
                   "Number of CPU threads of --run; 0: as its configuration says")
      ->check(CLI::Range(0, 1024))
      ->needs(run)
      ->capture_default_str();
  verb->footer(
      "Writes DIR/study.json, DIR/study.html and a folder for each run. The same command goes on "
      "after kill -9, a full disk or a failure: what is done is not done again.\n"
      "Exit code 1: a run failed; the others were done.\n\n"
      "Example: dualdepth study configs/studies/heads.yaml --out runs/heads --jobs 2");
  verb->callback([options, &state] {
    if (options->run.empty()) return run_all(*options, state);
    if (study::do_run(options->run, options->threads) == study::RunOutcome::kInterrupted) {
      state.exit_code = kExitInterrupted;
    }
  });
}

}  // namespace dualdepth
