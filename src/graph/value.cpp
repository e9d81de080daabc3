#include "dualdepth/graph/value.h"

namespace dualdepth::graph {

torch::Tensor Value::real() const { return is_sum() ? value_ * step_ : value_; }

}  // namespace dualdepth::graph
