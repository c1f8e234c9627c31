#pragma once

#include <algorithm>

#include "kernel.h"
#include "layerNorm.h"

namespace accelhydra {

/** A tensor seen as rows of its last axis. */
struct Rows {
  explicit Rows(const Tensor& tensor)
      : width(tensor.dims() == 0 ? 0 : tensor.dim_size(tensor.dims() - 1)),
        count(width == 0 ? 0 : tensor.NumElements() / width) {}
  std::int64_t width;
  std::int64_t count;
};

class LayerNorm : public OpKernel {
 public:
  explicit LayerNorm(OpKernelConstruction* construction) : OpKernel(construction) {
    OP_REQUIRES_OK(construction, construction->GetAttr("epsilon", &epsilon_));
  }

  void Compute(OpKernelContext* context) override {
    const Tensor& x = context->input(0);
    const Rows rows(x);
    OP_REQUIRES(context, rows.width > 0 && context->input(1).NumElements() == rows.width && sameShapes(context, 1, 2),
                absl::InvalidArgumentError("scale and offset must be as long as the last axis of x, and that not empty"));
    Tensor* y = nullptr;
    Tensor* mean = nullptr;
    Tensor* deviation = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, x.shape(), &y));
    OP_REQUIRES_OK(context, context->allocate_output(1, vectorOf(rows.count), &mean));
    OP_REQUIRES_OK(context, context->allocate_output(2, vectorOf(rows.count), &deviation));
    const float* from = data(context, 0);
    const float* scale = data(context, 1);
    const float* offset = data(context, 2);
    float* to = mutableData(y);
    float* means = mutableData(mean);
    float* deviations = mutableData(deviation);
    const float epsilon = epsilon_;
    inParallel(context, rows.count, rows.width * 2, [=](std::int64_t begin, std::int64_t end) {
      const std::int64_t at = begin * rows.width;
      layerNorm(from + at, scale, offset, epsilon, end - begin, rows.width, to + at, means + begin, deviations + begin);
    });
  }

 private:
  float epsilon_;
};

class LayerNormGrad : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) override {
    const Rows rows(context->input(1));
    OP_REQUIRES(context, rows.width > 0 && sameShapes(context, 0, 1) && context->input(2).NumElements() == rows.width,
                absl::InvalidArgumentError("dy and x must have one shape, scale the length of its last axis"));
    OP_REQUIRES(context, context->input(3).NumElements() == rows.count && sameShapes(context, 3, 4),
                absl::InvalidArgumentError("there must be a mean and a deviation for each row"));
    // Parts by the shape alone: sums come out the same whatever the number of threads.
    const std::int64_t size = std::max<std::int64_t>(1, (rows.count + mostParts - 1) / mostParts);
    const std::int64_t parts = (rows.count + size - 1) / size;
    Tensor* result = nullptr;
    Tensor* scaleSum = nullptr;
    Tensor* offsetSum = nullptr;
    Tensor partial;
    OP_REQUIRES_OK(context, context->allocate_output(0, context->input(1).shape(), &result));
    OP_REQUIRES_OK(context, context->allocate_output(1, vectorOf(rows.width), &scaleSum));
    OP_REQUIRES_OK(context, context->allocate_output(2, vectorOf(rows.width), &offsetSum));
    OP_REQUIRES_OK(context, context->allocate_temp(tensorflow::DT_FLOAT, TensorShape({parts, 2, rows.width}), &partial));
    const float* dy = data(context, 0);
    const float* x = data(context, 1);
    const float* scale = data(context, 2);
    const float* mean = data(context, 3);
    const float* deviation = data(context, 4);
    float* dx = mutableData(result);
    float* sums = mutableData(&partial);
    inParallel(context, parts, size * rows.width * 3, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t part = begin; part < end; part++) {
        const std::int64_t row = part * size;
        const std::int64_t count = std::min(size, rows.count - row);
        const std::int64_t at = row * rows.width;
        float* own = sums + part * 2 * rows.width;
        layerNormGradient(dy + at, x + at, scale, mean + row, deviation + row, count, rows.width, dx + at, own,
                          own + rows.width);
      }
    });
    addParts(sums, parts, 2 * rows.width, 0, rows.width, mutableData(scaleSum));
    addParts(sums, parts, 2 * rows.width, rows.width, rows.width, mutableData(offsetSum));
  }

 private:
  static constexpr std::int64_t mostParts = 64;
};

}  // namespace accelhydra
