#pragma once

namespace dualdepth {

// While one lives, the first SIGINT or SIGTERM only sets a flag, which long work asks for between
// its steps so that it can finish in order; a second one ends the process at once with exit code
// 130. Afterwards signals do what they did before. At most one at a time.
//
//   const StopSignal stop;
//   while (!stop.requested()) step();
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  bool requested() const;

  // "SIGINT" or "SIGTERM", whichever came; empty before.
  const char* name() const;
};

}  // namespace dualdepth
