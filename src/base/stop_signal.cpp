#include "dualdepth/base/stop_signal.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <stdexcept>

namespace dualdepth {
namespace {

constexpr int kExitInterrupted = 130;
constexpr std::array kSignals = {SIGINT, SIGTERM};

// A signal handler can reach nothing but this.
std::atomic<int> received{0};
static_assert(std::atomic<int>::is_always_lock_free);

std::atomic<bool> in_use{false};
std::array<struct sigaction, kSignals.size()> previous;

extern "C" void remember_or_end(int signal) {
  if (received.exchange(signal) != 0) ::_exit(kExitInterrupted);
}

}  // namespace

StopSignal::StopSignal() {
  if (in_use.exchange(true)) throw std::logic_error("a second StopSignal");
  received = 0;
  struct sigaction action = {};
  action.sa_handler = remember_or_end;
  action.sa_flags = SA_RESTART;  // reads and writes under way go on
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &action, &previous[i]);
}

StopSignal::~StopSignal() {
  for (size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &previous[i], nullptr);
  in_use = false;
}

bool StopSignal::requested() const { return received != 0; }

const char* StopSignal::name() const {
  switch (received) {
    case SIGINT:
      return "SIGINT";
    case SIGTERM:
      return "SIGTERM";
    default:
      return "";
  }
}

}  // namespace dualdepth
