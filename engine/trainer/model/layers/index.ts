export { Flatten, GELU, Identity, ReLU, Sigmoid, SiLU, Softmax, Tanh } from './activation.ts';
export { type AttentionCall, causalMask, MultiheadAttention, type MultiheadAttentionOptions } from './attention.ts';
export { Conv2d, type Conv2dOptions } from './convolution.ts';
export { Dropout, type DropoutOptions } from './dropout.ts';
export { Embedding, type EmbeddingOptions } from './embedding.ts';
export { Linear, type LinearOptions, linear } from './linear.ts';
export { BatchNorm2d, type BatchNorm2dOptions, LayerNorm, type LayerNormOptions } from './normalisation.ts';
export { AvgPool2d, MaxPool2d, type Pool2dOptions } from './pooling.ts';
export { Sequential, type SequentialOptions } from './sequential.ts';
