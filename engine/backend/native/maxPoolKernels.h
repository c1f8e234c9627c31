#pragma once

#include "kernel.h"
#include "maxPool.h"

namespace accelhydra {

/** Sizes of a pooling by halves, per image. */
struct Pooling {
  explicit Pooling(const Tensor& x)
      : image{x.dim_size(1), x.dim_size(2), x.dim_size(3)},
        size(image.height * image.width * image.channels),
        pooledShape({x.dim_size(0), image.height / 2, image.width / 2, image.channels}),
        pooledSize((image.height / 2) * (image.width / 2) * image.channels) {}
  Image image;
  std::int64_t size;
  TensorShape pooledShape;
  std::int64_t pooledSize;
};

/** What both ways of a pooling have in common. */
class PoolingKernel : public OpKernel {
 public:
  using OpKernel::OpKernel;

  void Compute(OpKernelContext* context) final {
    const Tensor& x = context->input(0);
    OP_REQUIRES(context, x.dims() == 4, absl::InvalidArgumentError("images are [batch, height, width, channels]"));
    pool(context, x, Pooling(x));
  }

 protected:
  virtual void pool(OpKernelContext* context, const Tensor& x, const Pooling& pooling) = 0;

  /** Runs work(image) for every one of the batch. */
  template <typename Work>
  static void forEachImage(OpKernelContext* context, const Tensor& x, const Pooling& pooling, Work work) {
    inParallel(context, x.dim_size(0), pooling.size, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; i++) work(i);
    });
  }
};

class MaxPool : public PoolingKernel {
 public:
  using PoolingKernel::PoolingKernel;

 protected:
  void pool(OpKernelContext* context, const Tensor& x, const Pooling& pooling) override {
    Tensor* largest = nullptr;
    Tensor* place = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, pooling.pooledShape, &largest));
    OP_REQUIRES_OK(context, context->allocate_output(1, pooling.pooledShape, &place));
    const float* from = data(context, 0);
    float* to = mutableData(largest);
    std::uint8_t* places = place->flat<std::uint8_t>().data();
    forEachImage(context, x, pooling, [&](std::int64_t i) {
      maxPool(from + i * pooling.size, pooling.image, to + i * pooling.pooledSize, places + i * pooling.pooledSize);
    });
  }
};

/** Takes what MaxPoolGrad takes: what was pooled (for its shape) and what came of it, before the gradient; then the places. */
class MaxPoolGrad : public PoolingKernel {
 public:
  using PoolingKernel::PoolingKernel;

 protected:
  void pool(OpKernelContext* context, const Tensor& x, const Pooling& pooling) override {
    OP_REQUIRES(context, context->input(2).shape() == pooling.pooledShape && sameShapes(context, 2, 3),
                absl::InvalidArgumentError("the gradient and the places must have half the height and width of the images"));
    Tensor* result = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, x.shape(), &result));
    const float* dy = data(context, 2);
    const std::uint8_t* places = context->input(3).flat<std::uint8_t>().data();
    float* dx = mutableData(result);
    forEachImage(context, x, pooling, [&](std::int64_t i) {
      maxPoolGradient(dy + i * pooling.pooledSize, places + i * pooling.pooledSize, pooling.image, dx + i * pooling.size);
    });
  }
};

}  // namespace accelhydra
