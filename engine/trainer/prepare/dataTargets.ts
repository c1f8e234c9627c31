import * as data from '../../data/index.ts';

const samplers = {
  RandomSampler: data.RandomSampler,
  SequentialSampler: data.SequentialSampler,
  WeightedRandomSampler: data.WeightedRandomSampler,
  SubsetRandomSampler: data.SubsetRandomSampler,
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
  ImageFolder: data.ImageFolder,
  WavDataset: data.WavDataset,
  TransformDataset: data.TransformDataset,
};

const transforms = {
  RandomHorizontalFlip: data.RandomHorizontalFlip,
  RandomVerticalFlip: data.RandomVerticalFlip,
  RandomCrop: data.RandomCrop,
  RandomAffine: data.RandomAffine,
  ColorJitter: data.ColorJitter,
  Normalize: data.Normalize,
};

const collates = { DefaultCollate: data.DefaultCollate, PaddingCollate: data.PaddingCollate };

export function under(prefixes: readonly string[], members: Readonly<Record<string, object>>): [string, object][] {
  return prefixes.flatMap((prefix) =>
    Object.entries(members).map(([name, member]): [string, object] => [`${prefix}.${name}`, member]),
  );
}

/** The targets of data alone: all that a worker thread of the DataLoader can build besides the project's own. */
export const dataTargets: Readonly<Record<string, object>> = Object.fromEntries([
  ...under(['accelhydra', 'accelhydra.data', 'torch.utils.data'], { DataLoader: data.DataLoader }),
  ['torchdata.stateful_dataloader.StatefulDataLoader', data.DataLoader],
  ...under(['accelhydra.data', 'torch.utils.data'], samplers),
  ...under(['accelhydra.data'], { ...ownSamplers, ...datasets, ...collates }),
  ...under(['accelhydra.data', 'torchvision.transforms'], transforms),
  ...under(['accelhydra.data', 'torch.utils.data', 'torch.utils.data.distributed'], {
    DistributedSampler: data.DistributedSampler,
  }),
  ['torchvision.datasets.ImageFolder', data.ImageFolder],
  ...under(['torch.utils.data'], { Subset: data.Subset, ConcatDataset: data.ConcatDataset }),
  ...under(['accel_hydra.data_module.sampler'], { BucketSampler: data.BucketSampler }),
  ...under(['accel_hydra.data_module.collate_function'], { PaddingCollate: data.PaddingCollate }),
]);
