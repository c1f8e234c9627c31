#include "maxPool.h"

#include <algorithm>

#include "vectorised.h"

namespace accelhydra {
namespace {

/** Of an output that are filled before they are written to; a fraction of a processor's first cache. */
constexpr std::int64_t bytesAtOnce = 8192;

typedef std::int32_t Whole __attribute__((vector_size(together * sizeof(std::int32_t))));
typedef std::uint8_t Bytes __attribute__((vector_size(together)));
typedef std::uint8_t WholeBytes __attribute__((vector_size(together * sizeof(std::int32_t))));
typedef std::uint64_t Quads __attribute__((vector_size(together * sizeof(std::int32_t))));

// Compilers convert bytes one by one: both of these are one or two shuffles.

/** Of numbers below 256. */
ACCELHYDRA_INLINE Bytes narrow(Whole values) {
  const WholeBytes all = (WholeBytes)values;
  return __builtin_shufflevector(all, all, 0, 4, 8, 12, 16, 20, 24, 28);
}

ACCELHYDRA_INLINE Whole widen(std::uint64_t bytes) {
  const Quads copies = {bytes, bytes, bytes, bytes};
  return (Whole)__builtin_shufflevector((WholeBytes)copies, WholeBytes{}, 0, 32, 32, 32, 1, 32, 32, 32, 2, 32, 32, 32, 3,
                                        32, 32, 32, 20, 32, 32, 32, 21, 32, 32, 32, 22, 32, 32, 32, 23, 32, 32, 32);
}

/** The first of the largest, and where it lies; NaN where one is. */
template <typename Values, typename Places>
ACCELHYDRA_INLINE Values largest(Values a, Values b, Values c, Values d, Places one, Places* place) {
  const auto left = a >= b | a != a;
  const auto right = c >= d | c != c;
  const Values top = left ? a : b;
  const Values bottom = right ? c : d;
  const auto above = top >= bottom | top != top;
  const Places zero = one - one;
  *place = above ? (left ? zero : one) : (right ? one + one : one + one + one);
  return above ? top : bottom;
}

}  // namespace

ACCELHYDRA_FOR_EACH_PROCESSOR
void maxPool(const float* __restrict x, Image image, float* __restrict y, std::uint8_t* __restrict place) {
  const std::int64_t channels = image.channels;
  const std::int64_t line = image.width * channels;
  for (std::int64_t row = 0; row + 1 < image.height; row += 2) {
    for (std::int64_t column = 0; column + 1 < image.width; column += 2) {
      const float* a = x + row * line + column * channels;
      const float* b = a + channels;
      const float* c = a + line;
      const float* d = b + line;
      std::int64_t i = 0;
      for (; i + together <= channels; i += together) {
        Whole where;
        const auto at = [i](const float* from) { return load<Floats>(from + i); };
        store(y + i, largest(at(a), at(b), at(c), at(d), Whole{} + 1, &where));
        store(place + i, narrow(where));
      }
      for (; i < channels; i++) {
        int where;
        y[i] = largest(a[i], b[i], c[i], d[i], 1, &where);
        place[i] = where;
      }
      y += channels;
      place += channels;
    }
  }
}

ACCELHYDRA_FOR_EACH_PROCESSOR
void maxPoolGradient(const float* __restrict dy, const std::uint8_t* __restrict place, Image image,
                     float* __restrict dx) {
  const std::int64_t channels = image.channels;
  const std::int64_t line = image.width * channels;
  const std::int64_t pair = 2 * line;
  const std::int64_t pairsAtOnce = bytesAtOnce / (pair * static_cast<std::int64_t>(sizeof(float)) + 1) + 1;
  for (std::int64_t row = 0; row + 1 < image.height; row += 2) {
    // Zeros first, and many: large fills put lines into the cache without reading them from memory, as single writes would.
    if (row / 2 % pairsAtOnce == 0) {
      const std::int64_t rows = std::min(2 * pairsAtOnce, image.height / 2 * 2 - row);
      std::memset(dx + row * line, 0, rows * line * sizeof(float));
    }
    float* upper = dx + row * line;
    for (std::int64_t column = 0; column + 1 < image.width; column += 2) {
      float* a = upper + column * channels;
      float* b = a + channels;
      float* c = a + line;
      float* d = b + line;
      std::int64_t i = 0;
      for (; i + together <= channels; i += together) {
        const Whole where = widen(load<std::uint64_t>(place + i));
        const Floats slope = load<Floats>(dy + i);
        store(a + i, where == 0 ? slope : Floats{});
        store(b + i, where == 1 ? slope : Floats{});
        store(c + i, where == 2 ? slope : Floats{});
        store(d + i, where == 3 ? slope : Floats{});
      }
      for (; i < channels; i++) {
        a[i] = place[i] == 0 ? dy[i] : 0.0f;
        b[i] = place[i] == 1 ? dy[i] : 0.0f;
        c[i] = place[i] == 2 ? dy[i] : 0.0f;
        d[i] = place[i] == 3 ? dy[i] : 0.0f;
      }
      dy += channels;
      place += channels;
    }
  }
  // what no window reaches
  if (image.height % 2 == 1) std::memset(dx + (image.height - 1) * line, 0, line * sizeof(float));
}

}  // namespace accelhydra
