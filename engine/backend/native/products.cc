#include "products.h"

namespace accelhydra {
namespace {

/** Rows that share each look at b: their sums fill half of the registers. */
constexpr std::int64_t rowsTogether = 4;

template <int rows>
ACCELHYDRA_INLINE void multiplyRows(Strided a, const float* b, std::int64_t bRow, float* c, std::int64_t cRow,
                                    std::int64_t columns, std::int64_t inner, bool add) {
  for (std::int64_t j = 0; j < columns; j += columnsTogether) {
    Floats left[rows] = {};
    Floats right[rows] = {};
    if (add) {
      for (int r = 0; r < rows; r++) {
        left[r] = load<Floats>(c + r * cRow + j);
        right[r] = load<Floats>(c + r * cRow + j + together);
      }
    }
    for (std::int64_t k = 0; k < inner; k++) {
      const Floats first = load<Floats>(b + k * bRow + j);
      const Floats second = load<Floats>(b + k * bRow + j + together);
      for (int r = 0; r < rows; r++) {
        const float factor = a.start[r * a.row + k * a.column];
        left[r] += factor * first;
        right[r] += factor * second;
      }
    }
    for (int r = 0; r < rows; r++) {
      store(c + r * cRow + j, left[r]);
      store(c + r * cRow + j + together, right[r]);
    }
  }
}

}  // namespace

ACCELHYDRA_FOR_EACH_PROCESSOR
void multiply(Strided a, const float* b, std::int64_t bRow, float* c, std::int64_t cRow, std::int64_t rows,
              std::int64_t columns, std::int64_t inner, bool add) {
  for (; rows >= rowsTogether; rows -= rowsTogether) {
    multiplyRows<rowsTogether>(a, b, bRow, c, cRow, columns, inner, add);
    a.start += rowsTogether * a.row;
    c += rowsTogether * cRow;
  }
  for (; rows > 0; rows--) {
    multiplyRows<1>(a, b, bRow, c, cRow, columns, inner, add);
    a.start += a.row;
    c += cRow;
  }
}

}  // namespace accelhydra
