import * as data from '../../data/index.ts';
import { builtinOptim } from '../../optim/index.ts';
import { LoggingConfig } from '../logging/loggingConfig.ts';
import * as layers from '../model/layers/index.ts';
import { MetricMonitor } from '../monitor/metricMonitor.ts';

const samplers = {
  RandomSampler: data.RandomSampler,
  SequentialSampler: data.SequentialSampler,
  WeightedRandomSampler: data.WeightedRandomSampler,
  BatchSampler: data.FixedBatchSampler,
};

const ownSamplers = {
  BucketSampler: data.BucketSampler,
  DynamicBatchSampler: data.DynamicBatchSampler,
  SortedDynamicBatchSampler: data.SortedDynamicBatchSampler,
  TaskIteratingSampler: data.TaskIteratingSampler,
  TaskGroupedIteratingBatchSampler: data.TaskGroupedIteratingBatchSampler,
  TaskGroupedSequentialBatchSampler: data.TaskGroupedSequentialBatchSampler,
};

const datasets = {
  ListDataset: data.ListDataset,
  Subset: data.Subset,
  ConcatDataset: data.ConcatDataset,
  IdxDataset: data.IdxDataset,
  CsvDataset: data.CsvDataset,
  JsonlDataset: data.JsonlDataset,
  TextLinesDataset: data.TextLinesDataset,
  CharDataset: data.CharDataset,
};

const collates = { DefaultCollate: data.DefaultCollate, PaddingCollate: data.PaddingCollate };

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

function under(prefixes: readonly string[], members: Readonly<Record<string, object>>): [string, object][] {
  return prefixes.flatMap((prefix) =>
    Object.entries(members).map(([name, member]): [string, object] => [`${prefix}.${name}`, member]),
  );
}

/**
 * Every target of data, optim and trainer: our names, and those that configs for PyTorch and AccelHydra write, so that
 * they run unchanged. `tf.*` is looked up in TensorFlow.js itself.
 */
export const builtinTargets: Readonly<Record<string, object>> = Object.fromEntries([
  ...Object.entries(builtinOptim),
  ...under(['accelhydra', 'accelhydra.data', 'torch.utils.data'], { DataLoader: data.DataLoader }),
  ['torchdata.stateful_dataloader.StatefulDataLoader', data.DataLoader],
  ...under(['accelhydra.data', 'torch.utils.data'], samplers),
  ...under(['accelhydra.data'], { ...ownSamplers, ...datasets, ...collates }),
  ...under(['torch.utils.data'], { Subset: data.Subset, ConcatDataset: data.ConcatDataset }),
  ...under(['accel_hydra.data_module.sampler'], { BucketSampler: data.BucketSampler }),
  ...under(['accel_hydra.data_module.collate_function'], { PaddingCollate: data.PaddingCollate }),
  ...under(['accelhydra.nn', 'torch.nn'], modules),
  ...under(['accelhydra', 'accelhydra.trainer', 'accel_hydra', 'accel_hydra.trainer'], training),
]);
