#include "attention.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "products.h"
#include "vectorised.h"

namespace accelhydra {
namespace {

/** Queries that are worked on together: few, since a causal block computes weights up to its last query. */
constexpr std::int64_t blockRows = 16;

constexpr std::int64_t rowsAhead = 8;
/** Of a processor's cache. */
constexpr std::int64_t floatsPerLine = 16;

enum Part { queries, keys, values };

/** to [rows, toRow] = from [rows, fromRow] times a factor; what lies beyond `width` is left. */
ACCELHYDRA_INLINE void copyRows(const float* __restrict from, std::int64_t fromRow, float* __restrict to,
                                std::int64_t toRow, std::int64_t rows, std::int64_t width, float factor) {
  for (std::int64_t row = 0; row < rows; row++, from += fromRow, to += toRow) {
    std::int64_t i = 0;
    // rows of one head lie far from each other, too far for processors to see it coming
    for (std::int64_t line = 0; line < width; line += floatsPerLine) __builtin_prefetch(from + rowsAhead * fromRow + line);
    for (; i + together <= width; i += together) store(to + i, factor * load<Floats>(from + i));
    // asked for, since compilers make a call of memcpy of the loop, which costs more than the few numbers of most rows
    if (i < width)
      for (; i < width; i++) to[i] = from[i] * factor;
  }
}

/** Turns 8 x 8 numbers. */
ACCELHYDRA_INLINE void turnBlock(const float* __restrict from, std::int64_t fromRow, float* __restrict to,
                                 std::int64_t toRow) {
  Floats rows[together];
  Floats pairs[together];
  for (int i = 0; i < together; i++) rows[i] = load<Floats>(from + i * fromRow);
  for (int i = 0; i < 4; i++) {
    const Floats upper = rows[2 * i];
    const Floats lower = rows[2 * i + 1];
    pairs[2 * i] = __builtin_shufflevector(upper, lower, 0, 8, 1, 9, 4, 12, 5, 13);
    pairs[2 * i + 1] = __builtin_shufflevector(upper, lower, 2, 10, 3, 11, 6, 14, 7, 15);
  }
  for (int half = 0; half < 2; half++) {
    for (int i = 0; i < 2; i++) {
      const Floats upper = pairs[4 * half + i];
      const Floats lower = pairs[4 * half + 2 + i];
      rows[4 * half + 2 * i] = __builtin_shufflevector(upper, lower, 0, 1, 8, 9, 4, 5, 12, 13);
      rows[4 * half + 2 * i + 1] = __builtin_shufflevector(upper, lower, 2, 3, 10, 11, 6, 7, 14, 15);
    }
  }
  for (int i = 0; i < 4; i++) {
    const Floats upper = rows[i];
    const Floats lower = rows[4 + i];
    store(to + i * toRow, __builtin_shufflevector(upper, lower, 0, 1, 2, 3, 8, 9, 10, 11));
    store(to + (i + 4) * toRow, __builtin_shufflevector(upper, lower, 4, 5, 6, 7, 12, 13, 14, 15));
  }
}

/** to [width, toRow] = from [rows, fromRow] turned. `from` should lie together: steps of many bytes share few places of a cache. */
ACCELHYDRA_INLINE void turn(const float* __restrict from, std::int64_t fromRow, float* __restrict to,
                            std::int64_t toRow, std::int64_t rows, std::int64_t width) {
  std::int64_t row = 0;
  for (; row + together <= rows; row += together) {
    std::int64_t i = 0;
    for (; i + together <= width; i += together) turnBlock(from + row * fromRow + i, fromRow, to + i * toRow + row, toRow);
    for (; i < width; i++)
      for (int r = 0; r < together; r++) to[i * toRow + row + r] = from[(row + r) * fromRow + i];
  }
  for (; row < rows; row++)
    for (std::int64_t i = 0; i < width; i++) to[i * toRow + row] = from[row * fromRow + i];
}

/** One head's numbers, copied together. */
struct Head {
  const Attention& attention;
  std::int64_t index;
  /** Lengths of rows, padded with zeros. */
  std::int64_t width = padded(attention.width);
  std::int64_t length = padded(attention.length);
  float scale = 1.0f / std::sqrt(static_cast<float>(attention.width));

  std::int64_t startOf(Part part) const { return (part * attention.heads + index) * attention.width; }
  std::int64_t joinedRow() const { return 3 * attention.heads * attention.width; }
  std::int64_t outputRow() const { return attention.heads * attention.width; }
  std::int64_t lastKey(std::int64_t end) const { return attention.causal ? std::min(end, attention.length) : attention.length; }

  __attribute__((always_inline)) void copyPart(const float* joined, Part part, float factor, float* to) const {
    copyRows(joined + startOf(part), joinedRow(), to, width, attention.length, attention.width, factor);
  }
};

/** Scores become weights: e^(score - logSum), zero from `count` to `end`. */
ACCELHYDRA_INLINE void exponentials(float* row, std::int64_t count, std::int64_t end, float logSum) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; i++) row[i] = expOfNegative(std::min(row[i] - logSum, 0.0f));
  for (std::int64_t i = count; i < end; i++) row[i] = 0.0f;
}

}  // namespace

ACCELHYDRA_FOR_EACH_PROCESSOR
void attend(const Attention& attention, std::int64_t head, const float* joined, const float* kept, float* output,
            float* logSum) {
  const Head h{attention, head};
  const std::int64_t rows = attention.length;
  const std::int64_t upright = rows * h.width;
  const std::int64_t across = attention.width * h.length;
  // zeros where rows are padded
  std::vector<float> memory(3 * upright + across + blockRows * (h.length + h.width));
  float* q = memory.data();
  float* k = q + upright;
  float* v = k + upright;
  float* keysAcross = v + upright;
  float* weights = keysAcross + across;
  float* result = weights + blockRows * h.length;
  h.copyPart(joined, queries, h.scale, q);
  h.copyPart(joined, keys, 1.0f, k);
  h.copyPart(joined, values, 1.0f, v);
  turn(k, h.width, keysAcross, h.length, rows, attention.width);
  for (std::int64_t start = 0; start < rows; start += blockRows) {
    const std::int64_t block = std::min(blockRows, rows - start);
    const std::int64_t seen = h.lastKey(start + block);
    const std::int64_t columns = padded(seen);
    multiply({q + start * h.width, h.width, 1}, keysAcross, h.length, weights, h.length, block, columns,
             attention.width, false);
    for (std::int64_t r = 0; r < block; r++) {
      float* row = weights + r * h.length;
      const std::int64_t count = h.lastKey(start + r + 1);
      float largest = -std::numeric_limits<float>::infinity();
#pragma omp simd reduction(max : largest)
      for (std::int64_t i = 0; i < count; i++) largest = row[i] > largest ? row[i] : largest;
      float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
      for (std::int64_t i = 0; i < count; i++) {
        row[i] = expOfNegative(row[i] - largest);
        sum += row[i];
      }
      logSum[start + r] = largest + std::log(sum);
      const float factor = 1.0f / sum;
      const float* keptRow = kept == nullptr ? nullptr : kept + (start + r) * rows;
      for (std::int64_t i = 0; i < count; i++) row[i] *= factor;
      if (keptRow != nullptr)
        for (std::int64_t i = 0; i < count; i++) row[i] *= keptRow[i];
      for (std::int64_t i = count; i < columns; i++) row[i] = 0.0f;
    }
    multiply({weights, h.length, 1}, v, h.width, result, h.width, block, h.width, seen, false);
    copyRows(result, h.width, output + start * h.outputRow() + head * attention.width, h.outputRow(), block,
             attention.width, 1.0f);
  }
}

// With P the weights and dO the slope: dV = P' dO, dP = dO V', dS = P * (dP - rowsum(dP * P)), dQ = dS K, dK = dS' Q.
ACCELHYDRA_FOR_EACH_PROCESSOR
void attendGradient(const Attention& attention, std::int64_t head, const float* slope, const float* joined,
                    const float* kept, const float* logSum, float* joinedSlope) {
  const Head h{attention, head};
  const std::int64_t rows = attention.length;
  const std::int64_t upright = rows * h.width;
  const std::int64_t across = attention.width * h.length;
  std::vector<float> memory(6 * upright + 2 * across + blockRows * (2 * h.length + h.width));
  float* q = memory.data();
  float* k = q + upright;
  float* v = k + upright;
  float* dOutput = v + upright;
  float* dKeys = dOutput + upright;
  float* dValues = dKeys + upright;
  float* keysAcross = dValues + upright;
  float* valuesAcross = keysAcross + across;
  float* weights = valuesAcross + across;
  float* slopes = weights + blockRows * h.length;
  float* dQueries = slopes + blockRows * h.length;
  h.copyPart(joined, queries, h.scale, q);
  h.copyPart(joined, keys, 1.0f, k);
  h.copyPart(joined, values, 1.0f, v);
  copyRows(slope + head * attention.width, h.outputRow(), dOutput, h.width, rows, attention.width, 1.0f);
  turn(k, h.width, keysAcross, h.length, rows, attention.width);
  turn(v, h.width, valuesAcross, h.length, rows, attention.width);
  for (std::int64_t start = 0; start < rows; start += blockRows) {
    const std::int64_t block = std::min(blockRows, rows - start);
    const std::int64_t seen = h.lastKey(start + block);
    const std::int64_t columns = padded(seen);
    const float* blockQ = q + start * h.width;
    const float* blockSlope = dOutput + start * h.width;
    multiply({blockQ, h.width, 1}, keysAcross, h.length, weights, h.length, block, columns, attention.width, false);
    multiply({blockSlope, h.width, 1}, valuesAcross, h.length, slopes, h.length, block, columns, attention.width,
             false);
    for (std::int64_t r = 0; r < block; r++) {
      float* row = weights + r * h.length;
      float* slopeRow = slopes + r * h.length;
      const float* keptRow = kept == nullptr ? nullptr : kept + (start + r) * rows;
      const std::int64_t count = h.lastKey(start + r + 1);
      exponentials(row, count, columns, logSum[start + r]);
      if (keptRow != nullptr)
        for (std::int64_t i = 0; i < count; i++) slopeRow[i] *= keptRow[i];
      float shared = 0.0f;
#pragma omp simd reduction(+ : shared)
      for (std::int64_t i = 0; i < count; i++) shared += slopeRow[i] * row[i];
      for (std::int64_t i = 0; i < columns; i++) slopeRow[i] = row[i] * (slopeRow[i] - shared);
      if (keptRow != nullptr)
        for (std::int64_t i = 0; i < count; i++) row[i] *= keptRow[i];
    }
    multiply({slopes, h.length, 1}, k, h.width, dQueries, h.width, block, h.width, seen, false);
    copyRows(dQueries, h.width, joinedSlope + start * h.joinedRow() + h.startOf(queries), h.joinedRow(), block,
             attention.width, h.scale);
    multiply({slopes, 1, h.length}, blockQ, h.width, dKeys, h.width, seen, h.width, block, true);
    multiply({weights, 1, h.length}, blockSlope, h.width, dValues, h.width, seen, h.width, block, true);
  }
  copyRows(dKeys, h.width, joinedSlope + h.startOf(keys), h.joinedRow(), rows, attention.width, 1.0f);
  copyRows(dValues, h.width, joinedSlope + h.startOf(values), h.joinedRow(), rows, attention.width, 1.0f);
}

}  // namespace accelhydra
