#pragma once

#include "attention.h"
#include "kernel.h"

namespace accelhydra {

/** What both ways of an attention have in common. `kept` is empty where nothing is dropped. */
class AttentionKernel : public OpKernel {
 public:
  explicit AttentionKernel(OpKernelConstruction* construction) : OpKernel(construction) {
    OP_REQUIRES_OK(construction, construction->GetAttr("heads", &heads_));
    OP_REQUIRES_OK(construction, construction->GetAttr("causal", &causal_));
  }

 protected:
  /** Runs work(attention, batch, head, kept) for every head of every sequence. */
  template <typename Work>
  void forEachHead(OpKernelContext* context, const Tensor& joined, const Tensor& kept, Work work) {
    OP_REQUIRES(context, joined.dims() == 3 && joined.dim_size(2) % (3 * heads_) == 0,
                absl::InvalidArgumentError("queries, keys and values are [batch, length, 3 * heads * width]"));
    const Attention attention{joined.dim_size(1), heads_, joined.dim_size(2) / (3 * heads_), causal_};
    const std::int64_t batches = joined.dim_size(0);
    const std::int64_t weights = attention.length * attention.length;
    OP_REQUIRES(context, kept.NumElements() == 0 || kept.NumElements() == batches * heads_ * weights,
                absl::InvalidArgumentError("what is kept is [batch, heads, length, length] or empty"));
    const float* first = kept.NumElements() == 0 ? nullptr : kept.flat<float>().data();
    inParallel(context, batches * heads_, weights * attention.width, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; i++)
        work(attention, i / heads_, i % heads_, first == nullptr ? nullptr : first + i * weights);
    });
  }

  TensorShape outputShape(const Tensor& joined) const {
    return TensorShape({joined.dim_size(0), joined.dim_size(1), joined.dim_size(2) / 3});
  }

  std::int64_t heads_;
  bool causal_;
};

class SelfAttention : public AttentionKernel {
 public:
  using AttentionKernel::AttentionKernel;

  void Compute(OpKernelContext* context) override {
    const Tensor& joined = context->input(0);
    OP_REQUIRES(context, joined.dims() == 3, absl::InvalidArgumentError("sequences are [batch, length, channels]"));
    const std::int64_t length = joined.dim_size(1);
    Tensor* result = nullptr;
    Tensor* logSums = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, outputShape(joined), &result));
    OP_REQUIRES_OK(context, context->allocate_output(1, TensorShape({joined.dim_size(0), heads_, length}), &logSums));
    const float* from = data(context, 0);
    float* to = mutableData(result);
    float* sums = mutableData(logSums);
    const std::int64_t size = length * joined.dim_size(2);
    forEachHead(context, joined, context->input(1),
                [&](const Attention& attention, std::int64_t batch, std::int64_t head, const float* kept) {
                  attend(attention, head, from + batch * size, kept, to + batch * size / 3,
                         sums + (batch * heads_ + head) * length);
                });
  }
};

class SelfAttentionGrad : public AttentionKernel {
 public:
  using AttentionKernel::AttentionKernel;

  void Compute(OpKernelContext* context) override {
    const Tensor& joined = context->input(1);
    OP_REQUIRES(context, joined.dims() == 3 && context->input(0).shape() == outputShape(joined),
                absl::InvalidArgumentError("the gradient has a third of the channels of queries, keys and values"));
    const std::int64_t length = joined.dim_size(1);
    OP_REQUIRES(context, context->input(3).NumElements() == joined.dim_size(0) * heads_ * length,
                absl::InvalidArgumentError("there must be a sum for each row"));
    Tensor* result = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, joined.shape(), &result));
    const float* slope = data(context, 0);
    const float* from = data(context, 1);
    const float* sums = data(context, 3);
    float* to = mutableData(result);
    const std::int64_t size = length * joined.dim_size(2);
    forEachHead(context, joined, context->input(2),
                [&](const Attention& attention, std::int64_t batch, std::int64_t head, const float* kept) {
                  attendGradient(attention, head, slope + batch * size / 3, from + batch * size, kept,
                                 sums + (batch * heads_ + head) * length, to + batch * size);
                });
  }
};

}  // namespace accelhydra
