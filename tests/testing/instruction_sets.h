#pragma once

#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <cstdint>
#include <functional>
#include <string>

namespace dualdepth::testing {

// While it lives, the kernels take the given one of Highway's instruction sets (HWY_AVX2 ...).
// integer_level_kernel.cpp obeys it, too.
class OnlyInstructionSet {
 public:
  explicit OnlyInstructionSet(int64_t target) { allow(target); }
  ~OnlyInstructionSet() { allow(0); }
  OnlyInstructionSet(const OnlyInstructionSet&) = delete;
  OnlyInstructionSet& operator=(const OnlyInstructionSet&) = delete;

 private:
  // 0: those that the CPU has.
  static void allow(int64_t targets) {
    hwy::SetSupportedTargetsForTest(targets);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
};

// Runs `test` once with each instruction set that the kernels are compiled for and this CPU has.
inline void with_each_instruction_set(const std::function<void()>& test) {
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    SCOPED_TRACE(std::string("on ") + hwy::TargetName(target));
    const OnlyInstructionSet only(target);
    test();
  }
}

}  // namespace dualdepth::testing
