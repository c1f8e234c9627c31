// The operations of this folder as TensorFlow sees them, for its CPU device; those that compute are for float32. They are there for every graph and
// every single call of the process once this library is loaded.
#include "attentionKernels.h"
#include "geluKernels.h"
#include "layerNormKernels.h"
#include "maxPoolKernels.h"
#include "stashKernels.h"
#include "thinConvolutionKernels.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace accelhydra {
namespace {

using tensorflow::shape_inference::InferenceContext;

absl::Status sameAsFirst(InferenceContext* c) {
  c->set_output(0, c->input(0));
  return absl::OkStatus();
}

absl::Status pooledShape(InferenceContext* c) {
  tensorflow::shape_inference::ShapeHandle images;
  TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 4, &images));
  tensorflow::shape_inference::DimensionHandle height;
  tensorflow::shape_inference::DimensionHandle width;
  TF_RETURN_IF_ERROR(c->Divide(c->Dim(images, 1), 2, /*evenly_divisible=*/false, &height));
  TF_RETURN_IF_ERROR(c->Divide(c->Dim(images, 2), 2, /*evenly_divisible=*/false, &width));
  for (int i = 0; i < 2; i++) c->set_output(i, c->MakeShape({c->Dim(images, 0), height, width, c->Dim(images, 3)}));
  return absl::OkStatus();
}

absl::Status normShapes(InferenceContext* c) {
  c->set_output(0, c->input(0));
  c->set_output(1, c->Vector(InferenceContext::kUnknownDim));
  c->set_output(2, c->Vector(InferenceContext::kUnknownDim));
  return absl::OkStatus();
}

absl::Status normGradientShapes(InferenceContext* c) {
  c->set_output(0, c->input(1));
  c->set_output(1, c->input(2));
  c->set_output(2, c->input(2));
  return absl::OkStatus();
}

absl::Status attentionShapes(InferenceContext* c) {
  std::int64_t heads = 0;
  TF_RETURN_IF_ERROR(c->GetAttr("heads", &heads));
  tensorflow::shape_inference::ShapeHandle joined;
  TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 3, &joined));
  tensorflow::shape_inference::DimensionHandle width;
  TF_RETURN_IF_ERROR(c->Divide(c->Dim(joined, 2), 3, /*evenly_divisible=*/true, &width));
  c->set_output(0, c->MakeShape({c->Dim(joined, 0), c->Dim(joined, 1), width}));
  c->set_output(1, c->MakeShape({c->Dim(joined, 0), c->MakeDim(heads), c->Dim(joined, 1)}));
  return absl::OkStatus();
}

absl::Status sameAsSecond(InferenceContext* c) {
  c->set_output(0, c->input(1));
  return absl::OkStatus();
}

REGISTER_OP("AccelHydraGelu")
    .Input("x: float")
    .Output("y: float")
    .Attr("by_tanh: bool = false")
    .SetShapeFn(sameAsFirst);
REGISTER_OP("AccelHydraGeluGrad")
    .Input("dy: float")
    .Input("x: float")
    .Output("dx: float")
    .Attr("by_tanh: bool = false")
    .SetShapeFn(sameAsFirst);
REGISTER_OP("AccelHydraLayerNorm")
    .Input("x: float")
    .Input("scale: float")
    .Input("offset: float")
    .Output("y: float")
    .Output("mean: float")
    .Output("deviation: float")
    .Attr("epsilon: float")
    .SetShapeFn(normShapes);
REGISTER_OP("AccelHydraLayerNormGrad")
    .Input("dy: float")
    .Input("x: float")
    .Input("scale: float")
    .Input("mean: float")
    .Input("deviation: float")
    .Output("dx: float")
    .Output("dscale: float")
    .Output("doffset: float")
    .SetShapeFn(normGradientShapes);
REGISTER_OP("AccelHydraMaxPool")
    .Input("x: float")
    .Output("y: float")
    .Output("place: uint8")
    .SetShapeFn(pooledShape);
REGISTER_OP("AccelHydraMaxPoolGrad")
    .Input("x: float")
    .Input("y: float")
    .Input("dy: float")
    .Input("place: uint8")
    .Output("dx: float")
    .SetShapeFn(sameAsFirst);
absl::Status unknownImages(InferenceContext* c) {
  c->set_output(0, c->UnknownShapeOfRank(4));
  return absl::OkStatus();
}

REGISTER_OP("AccelHydraThinConv2D")
    .Input("x: float")
    .Input("filter: float")
    .Input("bias: float")
    .Output("y: float")
    .Attr("stride_height: int >= 1")
    .Attr("stride_width: int >= 1")
    .Attr("padding: {'SAME', 'VALID'}")
    .SetShapeFn(unknownImages);
REGISTER_OP("AccelHydraThinConv2DFilterGrad")
    .Input("x: float")
    .Input("filter_sizes: int32")
    .Input("dy: float")
    .Output("dfilter: float")
    .Attr("stride_height: int >= 1")
    .Attr("stride_width: int >= 1")
    .Attr("padding: {'SAME', 'VALID'}")
    .SetShapeFn(unknownImages);
REGISTER_OP("AccelHydraSelfAttention")
    .Input("joined: float")
    .Input("kept: float")
    .Output("output: float")
    .Output("log_sum: float")
    .Attr("heads: int >= 1")
    .Attr("causal: bool")
    .SetShapeFn(attentionShapes);
REGISTER_OP("AccelHydraSelfAttentionGrad")
    .Input("dy: float")
    .Input("joined: float")
    .Input("kept: float")
    .Input("log_sum: float")
    .Output("djoined: float")
    .Attr("heads: int >= 1")
    .Attr("causal: bool")
    .SetShapeFn(sameAsSecond);

absl::Status scalar(InferenceContext* c) {
  c->set_output(0, c->Scalar());
  return absl::OkStatus();
}

absl::Status unknown(InferenceContext* c) {
  c->set_output(0, c->UnknownShape());
  return absl::OkStatus();
}

REGISTER_OP("AccelHydraStash")
    .Input("value: T")
    .Output("key: int32")
    .Attr("T: type")
    .SetIsStateful()
    .SetShapeFn(scalar);
REGISTER_OP("AccelHydraUnstash")
    .Input("key: int32")
    .Output("value: T")
    .Attr("T: type")
    .SetIsStateful()
    .SetShapeFn(unknown);

REGISTER_KERNEL_BUILDER(Name("AccelHydraStash").Device(tensorflow::DEVICE_CPU), StashTensor);
REGISTER_KERNEL_BUILDER(Name("AccelHydraUnstash").Device(tensorflow::DEVICE_CPU), UnstashTensor);
REGISTER_KERNEL_BUILDER(Name("AccelHydraThinConv2D").Device(tensorflow::DEVICE_CPU), ThinConv2D);
REGISTER_KERNEL_BUILDER(Name("AccelHydraThinConv2DFilterGrad").Device(tensorflow::DEVICE_CPU), ThinConv2DFilterGrad);
REGISTER_KERNEL_BUILDER(Name("AccelHydraSelfAttention").Device(tensorflow::DEVICE_CPU), SelfAttention);
REGISTER_KERNEL_BUILDER(Name("AccelHydraSelfAttentionGrad").Device(tensorflow::DEVICE_CPU), SelfAttentionGrad);
REGISTER_KERNEL_BUILDER(Name("AccelHydraGelu").Device(tensorflow::DEVICE_CPU), Gelu);
REGISTER_KERNEL_BUILDER(Name("AccelHydraGeluGrad").Device(tensorflow::DEVICE_CPU), GeluGrad);
REGISTER_KERNEL_BUILDER(Name("AccelHydraLayerNorm").Device(tensorflow::DEVICE_CPU), LayerNorm);
REGISTER_KERNEL_BUILDER(Name("AccelHydraLayerNormGrad").Device(tensorflow::DEVICE_CPU), LayerNormGrad);
REGISTER_KERNEL_BUILDER(Name("AccelHydraMaxPool").Device(tensorflow::DEVICE_CPU), MaxPool);
REGISTER_KERNEL_BUILDER(Name("AccelHydraMaxPoolGrad").Device(tensorflow::DEVICE_CPU), MaxPoolGrad);

}  // namespace
}  // namespace accelhydra
