import { builtinOptim } from '../../optim/index.ts';
import { LoggingConfig } from '../logging/loggingConfig.ts';
import * as layers from '../model/layers/index.ts';
import { MetricMonitor } from '../monitor/metricMonitor.ts';
import { dataTargets, under } from './dataTargets.ts';

const { Linear, Conv2d, BatchNorm2d, LayerNorm, Embedding, Dropout, MaxPool2d, AvgPool2d } = layers;
const { MultiheadAttention, Sequential, Flatten, Identity, ReLU, GELU, SiLU, Tanh, Sigmoid, Softmax } = layers;
const modules = {
  Linear,
  Conv2d,
  BatchNorm2d,
  LayerNorm,
  Embedding,
  Dropout,
  MaxPool2d,
  AvgPool2d,
  MultiheadAttention,
  Sequential,
  Flatten,
  Identity,
  ReLU,
  GELU,
  SiLU,
  Tanh,
  Sigmoid,
  Softmax,
};

const training = { MetricMonitor, LoggingConfig };

/**
 * Every target of data, optim and trainer: our names, and those that configs for PyTorch and AccelHydra write, so that
 * they run unchanged. `tf.*` is looked up in TensorFlow.js itself.
 */
export const builtinTargets: Readonly<Record<string, object>> = Object.fromEntries([
  ...Object.entries(builtinOptim),
  ...Object.entries(dataTargets),
  ...under(['accelhydra.nn', 'torch.nn'], modules),
  ...under(['accelhydra', 'accelhydra.trainer', 'accel_hydra', 'accel_hydra.trainer'], training),
]);
