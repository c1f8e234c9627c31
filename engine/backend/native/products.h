// Products of small matrices that lie in a processor's first caches.
#pragma once

#include "vectorised.h"

namespace accelhydra {

/** Columns that are computed together. What is multiplied has rows padded to a multiple. */
constexpr std::int64_t columnsTogether = 2 * together;

ACCELHYDRA_INLINE std::int64_t padded(std::int64_t count) {
  return (count + columnsTogether - 1) / columnsTogether * columnsTogether;
}

/** A matrix as steps between its rows and between its columns. */
struct Strided {
  const float* start;
  std::int64_t row;
  std::int64_t column;
};

/** c = a b, or c + a b: c [rows, columns], a [rows, inner], b [inner, columns]; columns a multiple of columnsTogether. */
void multiply(Strided a, const float* b, std::int64_t bRow, float* c, std::int64_t cRow, std::int64_t rows,
              std::int64_t columns, std::int64_t inner, bool add);

}  // namespace accelhydra
