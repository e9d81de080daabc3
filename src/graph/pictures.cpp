#include "dualdepth/graph/pictures.h"

#include "dualdepth/base/spread.h"

namespace dualdepth::graph {

Pictures Pictures::spread(size_t most) const {
  if (count <= most) return *this;
  return {most, [from = at, indices = spread_indices(count, most)](size_t index) {
            return from(indices.at(index));
          }};
}

}  // namespace dualdepth::graph
