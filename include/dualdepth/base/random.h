#pragma once

#include <cstdint>
#include <initializer_list>

namespace dualdepth {

// A stream of random numbers that is a pure function of its keys, typically
// {seed, epoch, sample index}: the same keys give the same numbers on every machine, with any
// number of workers. splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
// generators", OOPSLA 2014) both mixes the keys and generates.
class RandomStream {
 public:
  RandomStream(std::initializer_list<uint64_t> keys);

  // Uniform over all 64-bit values.
  uint64_t next();

  // Uniform in [0, 1), 53 random bits.
  double uniform();

  // Uniform in [low, high).
  double uniform(double low, double high);

  // Uniform integer in [0, bound); bound > 0. Without modulo bias.
  uint64_t below(uint64_t bound);

  // Normal with mean 0 and standard deviation 1 (Box-Muller; two draws of uniform()).
  double normal();

  // True with this probability.
  bool chance(double probability) { return uniform() < probability; }

 private:
  uint64_t state_;
};

}  // namespace dualdepth
