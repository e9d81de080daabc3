#include "dualdepth/study/run_study.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <deque>
#include <list>
#include <memory>
#include <string_view>

#include "dualdepth/base/child_process.h"
#include "dualdepth/base/error.h"
#include "dualdepth/base/parallel.h"
#include "dualdepth/base/stop_signal.h"
#include "dualdepth/study/job_slots.h"
#include "dualdepth/study/study_folder.h"
#include "dualdepth/study/time_left.h"

namespace dualdepth::study {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kLookEvery{50};
constexpr std::chrono::seconds kGrace{60};  // for a training's step and its checkpoint
constexpr size_t kKeptOutput = size_t{1} << 16;

bool is_done(const PlannedRun& run, const JudgeOptions& judge) {
  return std::ranges::all_of(
      stages_of(judge), [&](const std::string& stage) { return stage_is_done(run.folder, stage); });
}

// By the files that are there, without reading them.
std::string stage_at_work(const fs::path& folder, const JudgeOptions& judge) {
  for (const std::string& stage : stages_of(judge)) {
    if (!fs::exists(stage_file(folder, stage))) return stage;
  }
  return "";
}

// The last error that a process printed, with the lines that follow it; else how it ended.
std::string error_of(const std::string& output, int status) {
  if (WIFSIGNALED(status)) return fmt::format("ended by signal {}", WTERMSIG(status));
  const std::string lines = "\n" + output;
  std::string text;
  size_t begin = 0;
  for (const std::string_view mark : {"\nerror: ", "\ninternal error: "}) {
    const size_t found = lines.rfind(mark);
    if (found == std::string::npos || found + mark.size() <= begin) continue;
    begin = found + mark.size();
    text = lines.substr(begin);
  }
  while (text.ends_with('\n')) text.pop_back();
  return text.empty() ? fmt::format("ended with exit code {}", WEXITSTATUS(status)) : text;
}

// Whether the message is that of a file that could not be written to a full disk. All that a run
// writes goes through AtomicFile, which gives the system's reason.
bool tells_of_full_disk(const std::string& error) {
  return std::ranges::any_of(std::array{ENOSPC, EDQUOT, EFBIG}, [&](int code) {
    return error.find(std::strerror(code)) != std::string::npos;
  });
}

// A run at work.
struct Worker {
  const PlannedRun* run;
  size_t slot;
  std::unique_ptr<ChildProcess> process;
  std::string stage = {};
  std::string output = {};  // its end
};

class Study {
 public:
  Study(const fs::path& out, const std::vector<PlannedRun>& runs, const JudgeOptions& judge,
        const WorkOptions& options, const AfterRun& after_run)
      : out_(out),
        judge_(judge),
        options_(options),
        after_run_(after_run),
        all_(runs),
        time_left_(runs, judge) {
    for (const PlannedRun& run : runs) {
      if (!is_done(run, judge)) waiting_.push_back(&run);
    }
    slots_ = job_slots(options.jobs, waiting_.size(), most_threads(), machine());
  }

  StudyProgress run();

 private:
  // Of a run's configuration; 0 where one leaves them open.
  int most_threads() const {
    int64_t most = 0;
    for (const PlannedRun* run : waiting_) {
      if (run->config.threads == 0) return 0;
      most = std::max(most, run->config.threads);
    }
    return static_cast<int>(most);
  }

  Machine machine() const {
    const bool wants_gpu = std::ranges::any_of(
        waiting_, [](const PlannedRun* run) { return run->config.device != DeviceKind::kCpu; });
    return {.cores = resolve_thread_count(0),
            .gpus = wants_gpu ? visible_gpus() : std::vector<std::string>{}};
  }

  void start(const PlannedRun& run);
  void look(Worker& worker);
  void finish(const Worker& worker);
  void stop_all();

  fs::path out_;
  JudgeOptions judge_;
  WorkOptions options_;
  AfterRun after_run_;
  const std::vector<PlannedRun>& all_;
  std::deque<const PlannedRun*> waiting_;
  std::list<Worker> at_work_;
  std::vector<JobSlot> slots_;
  TimeLeft time_left_;
  StudyProgress progress_;
};

StudyProgress Study::run() {
  const StopSignal stop;
  spdlog::info("{} of {} runs to do, {} at a time", waiting_.size(), all_.size(), slots_.size());
  while ((!waiting_.empty() || !at_work_.empty()) && !stop.requested()) {
    while (!waiting_.empty() && at_work_.size() < slots_.size()) {
      start(*waiting_.front());
      waiting_.pop_front();
    }
    for (auto worker = at_work_.begin(); worker != at_work_.end();) {
      look(*worker);
      const auto next = std::next(worker);
      if (worker->process->has_ended()) {
        finish(*worker);
        at_work_.erase(worker);
      }
      worker = next;
    }
  }
  progress_.was_interrupted = stop.requested();
  if (progress_.was_interrupted) stop_all();
  return progress_;
}

void Study::start(const PlannedRun& run) {
  std::vector<bool> taken(slots_.size());
  for (const Worker& worker : at_work_) taken[worker.slot] = true;
  const auto slot = static_cast<size_t>(std::ranges::find(taken, false) - taken.begin());
  std::vector<std::string> words;
  if (!slots_[slot].gpu.empty()) {
    words = {"/usr/bin/env", "CUDA_VISIBLE_DEVICES=" + slots_[slot].gpu};
  }
  words.insert(words.end(), {options_.program.string(), "study", "--run", run.folder.string(),
                             "--threads", std::to_string(slots_[slot].threads)});
  note_error(run.folder, "");
  at_work_.push_back(
      {.run = &run,
       .slot = slot,
       .process = std::make_unique<ChildProcess>(std::move(words), ErrorStream::kWithOutput)});
}

void Study::look(Worker& worker) {
  worker.process->look(kLookEvery / static_cast<int>(at_work_.size()), worker.output);
  if (worker.output.size() > kKeptOutput) {
    worker.output.erase(0, worker.output.size() - kKeptOutput);
  }
  const std::string stage = stage_at_work(worker.run->folder, judge_);
  if (stage == worker.stage || stage.empty()) return;
  worker.stage = stage;
  spdlog::info("{}: {}; {} left{}", worker.run->id(), stage, waiting_.size() + at_work_.size(),
               time_left_.text(slots_.size()));
}

void Study::finish(const Worker& worker) {
  const int status = worker.process->status();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    const std::string error = error_of(worker.output, status);
    spdlog::error("{}: {}", worker.run->id(), error);
    note_error(worker.run->folder, error);
    progress_.failed.push_back({.id = worker.run->id(), .error = error});
    if (tells_of_full_disk(error)) {
      stop_all();
      throw Error({.subject = out_.string(),
                   .expected = "room for the results",
                   .got = worker.run->id() + ": " + error,
                   .fix = "free some and start the same command again: it goes on where it "
                          "stopped"});
    }
  } else {
    spdlog::info("{}: done", worker.run->id());
  }
  if (after_run_) after_run_();
}

void Study::stop_all() {
  for (Worker& worker : at_work_) worker.process->send(SIGTERM);
  const auto last = Clock::now() + kGrace;
  const auto is_over = [](const Worker& worker) { return worker.process->has_ended(); };
  while (!std::ranges::all_of(at_work_, is_over) && Clock::now() < last) {
    for (Worker& worker : at_work_) {
      if (!worker.process->has_ended()) worker.process->look(kLookEvery, worker.output);
    }
  }
}

}  // namespace

StudyProgress run_study(const fs::path& out, const std::vector<PlannedRun>& runs,
                        const JudgeOptions& judge, const WorkOptions& options,
                        const AfterRun& after_run) {
  return Study(out, runs, judge, options, after_run).run();
}

}  // namespace dualdepth::study
