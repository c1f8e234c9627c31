#include "thinConvolution.h"

#include <algorithm>

#include "vectorised.h"

// Convolutions of images with few channels, as the first of a network is: libraries are made for many, and spend most of their
// time on rearranging here. Eight outputs are one vector; what the filter sees of a row lies together.

namespace accelhydra {
namespace {

static_assert(outputsTogether == together, "a vector of outputs");

/** Pixels of a row that share each look at the filter. */
constexpr int pixelsTogether = 8;
/** Places of the filter that share each look at the gradient: their sums fit into registers. */
constexpr int placesTogether = 12;

template <int pixels>
ACCELHYDRA_INLINE void convolvePixels(const Convolution& c, const float* from, const float* filter, Floats start,
                                      float* y) {
  Floats sums[pixels];
  for (int p = 0; p < pixels; p++) sums[p] = start;
  const std::int64_t step = c.strideWidth * c.channels;
  const std::int64_t inRow = c.filterWidth * c.channels;
  for (std::int64_t row = 0; row < c.filterHeight; row++, from += c.paddedRow()) {
    for (std::int64_t i = 0; i < inRow; i++, filter += c.outputs) {
      const Floats weight = load<Floats>(filter);
      for (int p = 0; p < pixels; p++) sums[p] += from[p * step + i] * weight;
    }
  }
  for (int p = 0; p < pixels; p++) store(y + p * c.outputs, sums[p]);
}

/** For places of the filter that lie `offsets` from a pixel's first one. */
template <int places>
ACCELHYDRA_INLINE void addPlaces(const Convolution& c, const float* padded, const float* dy,
                                 const std::int64_t* offsets, float* slope) {
  Floats sums[places];
  for (int i = 0; i < places; i++) sums[i] = load<Floats>(slope + i * c.outputs);
  for (std::int64_t row = 0; row < c.outHeight; row++) {
    const float* from = padded + row * c.strideHeight * c.paddedRow();
    for (std::int64_t column = 0; column < c.outWidth; column++) {
      const Floats change = load<Floats>(dy);
      for (int i = 0; i < places; i++) sums[i] += from[offsets[i]] * change;
      from += c.strideWidth * c.channels;
      dy += c.outputs;
    }
  }
  for (int i = 0; i < places; i++) store(slope + i * c.outputs, sums[i]);
}

template <int places>
ACCELHYDRA_INLINE void addSomePlaces(int count, const Convolution& c, const float* padded, const float* dy,
                                     const std::int64_t* offsets, float* slope) {
  if (count == places) return addPlaces<places>(c, padded, dy, offsets, slope);
  if constexpr (places > 1) addSomePlaces<places - 1>(count, c, padded, dy, offsets, slope);
}

}  // namespace

void padImage(const Convolution& c, const float* image, float* padded) {
  const std::int64_t rows = std::min(c.height, c.paddedHeight() - c.top);
  const std::int64_t numbers = std::min(c.width * c.channels, c.paddedRow() - c.left * c.channels);
  for (std::int64_t row = 0; row < rows; row++)
    std::memcpy(padded + (row + c.top) * c.paddedRow() + c.left * c.channels, image + row * c.width * c.channels,
                numbers * sizeof(float));
}

ACCELHYDRA_FOR_EACH_PROCESSOR
void convolve(const Convolution& c, const float* padded, const float* filter, const float* bias, float* y) {
  const std::int64_t step = c.strideWidth * c.channels;
  for (std::int64_t row = 0; row < c.outHeight; row++) {
    const float* from = padded + row * c.strideHeight * c.paddedRow();
    float* to = y + row * c.outWidth * c.outputs;
    for (std::int64_t output = 0; output < c.outputs; output += together) {
      const Floats start = bias == nullptr ? Floats{} : load<Floats>(bias + output);
      std::int64_t column = 0;
      for (; column + pixelsTogether <= c.outWidth; column += pixelsTogether)
        convolvePixels<pixelsTogether>(c, from + column * step, filter + output, start, to + column * c.outputs + output);
      for (; column < c.outWidth; column++)
        convolvePixels<1>(c, from + column * step, filter + output, start, to + column * c.outputs + output);
    }
  }
}

ACCELHYDRA_FOR_EACH_PROCESSOR
void addFilterGradient(const Convolution& c, const float* padded, const float* dy, float* slope) {
  const std::int64_t inRow = c.filterWidth * c.channels;
  const std::int64_t places = c.places();
  const std::int64_t rounds = (places + placesTogether - 1) / placesTogether;
  for (std::int64_t round = 0; round < rounds; round++) {
    // as many in each round as can be: a round of one would wait for every addition
    const std::int64_t begin = places * round / rounds;
    const int count = static_cast<int>(places * (round + 1) / rounds - begin);
    std::int64_t offsets[placesTogether];
    for (int i = 0; i < count; i++)
      offsets[i] = (begin + i) / inRow * c.paddedRow() + (begin + i) % inRow;
    for (std::int64_t output = 0; output < c.outputs; output += together)
      addSomePlaces<placesTogether>(count, c, padded, dy + output, offsets, slope + begin * c.outputs + output);
  }
}

}  // namespace accelhydra
