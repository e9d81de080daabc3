#include <sstream>

#include "dualdepth/base/atomic_file.h"
#include "dualdepth/config/run_config.h"

// config_reference FILE: writes the reference of all configuration keys.
int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::ostringstream reference;
  dualdepth::write_config_markdown(reference);
  dualdepth::write_file_atomically(argv[1], reference.str());
}
