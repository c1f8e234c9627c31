export { WavDataset, type WavDatasetOptions, type WavSample } from './audio/wavDataset.ts';
export { type Collate, type CollateFunction, disposeBatch, isPlainObject, toTensors } from './collate/collate.ts';
export { DefaultCollate, type DefaultCollateOptions } from './collate/defaultCollate.ts';
export { PaddingCollate, type PaddingCollateOptions } from './collate/paddingCollate.ts';
export {
  ConcatDataset,
  type ConcatDatasetOptions,
  ListDataset,
  type ListDatasetOptions,
  Subset,
  type SubsetOptions,
  type TaskRange,
} from './dataset/combine.ts';
export {
  Dataset,
  IterableDataset,
  inShard,
  isMapDataset,
  isStreamDataset,
  type MapDataset,
  type StreamDataset,
  type StreamRequest,
  type StreamShard,
} from './dataset/dataset.ts';
export type { PassKey } from './dataset/passKey.ts';
export { type SampleContext, sampleContext } from './dataset/sampleContext.ts';
export { nameOf, type Stateful, unsaveableText } from './dataset/stateful.ts';
export { CharDataset, type CharDatasetOptions, CharVocabulary } from './files/charDataset.ts';
export { CsvDataset, type CsvDatasetOptions } from './files/csvDataset.ts';
export { IdxDataset, type IdxDatasetOptions } from './files/idxDataset.ts';
export { formatIdx, type IdxContent, parseIdx, readIdxFile } from './files/idxFile.ts';
export { JsonlDataset, type JsonlDatasetOptions } from './files/jsonlDataset.ts';
export { TextLinesDataset, type TextLinesDatasetOptions } from './files/textLinesDataset.ts';
export {
  dtypeOf,
  type HostArray,
  type HostDtype,
  type HostTensor,
  hostScalar,
  isHostArray,
  isHostTensor,
  sameShape,
  toTensor,
} from './hostTensor.ts';
export { ImageFolder, type ImageFolderOptions } from './images/imageFolder.ts';
export { asLoader } from './loader/asLoader.ts';
export { DataLoader, type DataLoaderOptions } from './loader/dataLoader.ts';
export { type LoadedBatch, type Loader, type LoaderPass, type PassOptions, singleShard } from './loader/loader.ts';
export type { StreamState } from './loader/streamState.ts';
export { checkOptions, requireWhole } from './options.ts';
export { RandomSampler, SequentialSampler, WeightedRandomSampler } from './sampler/basic.ts';
export { FixedBatchSampler } from './sampler/batch.ts';
export { BucketSampler, type BucketSamplerOptions } from './sampler/bucket.ts';
export { DynamicBatchSampler, type DynamicBatchSamplerOptions, SortedDynamicBatchSampler } from './sampler/dynamic.ts';
export type { BatchPlan, BatchSampler, Sampler } from './sampler/sampler.ts';
export { type Shard, type ShardedPlan, shardPlan } from './sampler/shard.ts';
export {
  DistributedSampler,
  type DistributedSamplerOptions,
  SubsetRandomSampler,
  type SubsetRandomSamplerOptions,
} from './sampler/subset.ts';
export {
  TaskGroupedIteratingBatchSampler,
  TaskGroupedSequentialBatchSampler,
  TaskIteratingSampler,
} from './sampler/task.ts';
export { ColorJitter, type ColorJitterOptions, Normalize, type NormalizeOptions } from './transforms/colors.ts';
export { type FlipOptions, RandomHorizontalFlip, RandomVerticalFlip } from './transforms/flips.ts';
export { RandomAffine, type RandomAffineOptions } from './transforms/randomAffine.ts';
export { RandomCrop, type RandomCropOptions } from './transforms/randomCrop.ts';
export type { Transform } from './transforms/transform.ts';
export { TransformDataset, type TransformDatasetOptions } from './transforms/transformDataset.ts';
export type { WorkerRecipe } from './worker/recipe.ts';
export { getWorkerInfo, type WorkerInfo } from './worker/workerInfo.ts';
