#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "kernel.h"
#include "thinConvolution.h"

namespace accelhydra {

/** What both ways of a convolution have in common: strides and TensorFlow's rule for padding. */
class ThinConvolutionKernel : public OpKernel {
 public:
  explicit ThinConvolutionKernel(OpKernelConstruction* construction) : OpKernel(construction) {
    std::string padding;
    OP_REQUIRES_OK(construction, construction->GetAttr("stride_height", &strideHeight_));
    OP_REQUIRES_OK(construction, construction->GetAttr("stride_width", &strideWidth_));
    OP_REQUIRES_OK(construction, construction->GetAttr("padding", &padding));
    isSame_ = padding == "SAME";
  }

 protected:
  /** `filter`: [height, width, channels, outputs]. */
  Convolution convolutionOf(const Tensor& images, const std::vector<std::int64_t>& filter) const {
    Convolution c{images.dim_size(1), images.dim_size(2), images.dim_size(3), filter[0], filter[1], filter[3],
                  strideHeight_, strideWidth_, 0, 0, 0, 0};
    c.outHeight = outputSize(c.height, c.filterHeight, strideHeight_);
    c.outWidth = outputSize(c.width, c.filterWidth, strideWidth_);
    if (isSame_) {
      c.top = std::max<std::int64_t>(0, c.paddedHeight() - c.height) / 2;
      c.left = std::max<std::int64_t>(0, c.paddedRow() / c.channels - c.width) / 2;
    }
    return c;
  }

  static bool fits(const Tensor& images, const std::vector<std::int64_t>& filter, const Convolution& c) {
    return filter[2] == images.dim_size(3) && c.outputs % outputsTogether == 0 && c.outHeight > 0 && c.outWidth > 0;
  }

  static TensorShape outputShape(const Tensor& images, const Convolution& c) {
    return TensorShape({images.dim_size(0), c.outHeight, c.outWidth, c.outputs});
  }

  static constexpr char wrongSizes[] = "the filter must have the channels of the images, outputs in eights, and fit";

 private:
  std::int64_t outputSize(std::int64_t size, std::int64_t filter, std::int64_t stride) const {
    return isSame_ ? (size + stride - 1) / stride : (size - filter + stride) / stride;
  }

  std::int64_t strideHeight_;
  std::int64_t strideWidth_;
  bool isSame_;
};

class ThinConv2D : public ThinConvolutionKernel {
 public:
  using ThinConvolutionKernel::ThinConvolutionKernel;

  void Compute(OpKernelContext* context) override {
    const Tensor& images = context->input(0);
    const Tensor& filter = context->input(1);
    OP_REQUIRES(context, images.dims() == 4 && filter.dims() == 4 && images.NumElements() > 0,
                absl::InvalidArgumentError("images are [batch, height, width, channels]"));
    std::vector<std::int64_t> sizes;
    for (int i = 0; i < 4; i++) sizes.push_back(filter.dim_size(i));
    const Convolution c = convolutionOf(images, sizes);
    const std::int64_t biases = context->input(2).NumElements();
    OP_REQUIRES(context, fits(images, sizes, c) && (biases == 0 || biases == c.outputs),
                absl::InvalidArgumentError(wrongSizes));
    Tensor* result = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, outputShape(images, c), &result));
    const float* from = data(context, 0);
    const float* weights = data(context, 1);
    const float* bias = biases == 0 ? nullptr : data(context, 2);
    float* to = mutableData(result);
    const std::int64_t size = c.height * c.width * c.channels;
    const std::int64_t outSize = c.outHeight * c.outWidth * c.outputs;
    inParallel(context, images.dim_size(0), outSize * c.places() / 4, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> padded(c.paddedSize());
      for (std::int64_t i = begin; i < end; i++) {
        padImage(c, from + i * size, padded.data());
        convolve(c, padded.data(), weights, bias, to + i * outSize);
      }
    });
  }
};

class ThinConv2DFilterGrad : public ThinConvolutionKernel {
 public:
  using ThinConvolutionKernel::ThinConvolutionKernel;

  void Compute(OpKernelContext* context) override {
    const Tensor& images = context->input(0);
    const Tensor& filterShape = context->input(1);
    OP_REQUIRES(context, images.dims() == 4 && filterShape.NumElements() == 4 && images.NumElements() > 0,
                absl::InvalidArgumentError("images are [batch, height, width, channels]"));
    const auto given = filterShape.flat<std::int32_t>();
    const std::vector<std::int64_t> sizes(given.data(), given.data() + 4);
    const Convolution c = convolutionOf(images, sizes);
    OP_REQUIRES(context, fits(images, sizes, c) && context->input(2).shape() == outputShape(images, c),
                absl::InvalidArgumentError(wrongSizes));
    // Parts by the shape alone: sums come out the same whatever the number of threads.
    const std::int64_t batch = images.dim_size(0);
    const std::int64_t each = (batch + mostParts - 1) / mostParts;
    const std::int64_t parts = (batch + each - 1) / each;
    const std::int64_t weights = c.places() * c.outputs;
    Tensor* result = nullptr;
    Tensor partial;
    OP_REQUIRES_OK(context,
                   context->allocate_output(0, TensorShape({sizes[0], sizes[1], sizes[2], sizes[3]}), &result));
    OP_REQUIRES_OK(context, context->allocate_temp(tensorflow::DT_FLOAT, TensorShape({parts, weights}), &partial));
    const float* from = data(context, 0);
    const float* dy = data(context, 2);
    float* sums = mutableData(&partial);
    const std::int64_t size = c.height * c.width * c.channels;
    const std::int64_t outSize = c.outHeight * c.outWidth * c.outputs;
    inParallel(context, parts, each * outSize * c.places() / 4, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> padded(c.paddedSize());
      for (std::int64_t part = begin; part < end; part++) {
        float* own = sums + part * weights;
        std::fill(own, own + weights, 0.0f);
        for (std::int64_t i = part * each; i < std::min(batch, (part + 1) * each); i++) {
          padImage(c, from + i * size, padded.data());
          addFilterGradient(c, padded.data(), dy + i * outSize, own);
        }
      }
    });
    addParts(sums, parts, weights, 0, weights, mutableData(result));
  }

 private:
  static constexpr std::int64_t mostParts = 16;
};

}  // namespace accelhydra
