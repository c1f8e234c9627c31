export { type Comparison, compareCheckpoints } from './compare.ts';
export { recoverFolders } from './folder/atomicFolder.ts';
export { type FileSystem, nodeFileSystem, type WritableFile } from './folder/fileSystem.ts';
export { type NewestIntact, newestIntact, noneIntact, passedOver } from './intact.ts';
export { checkpointFiles, checkpointFolder, parseCheckpointName } from './layout.ts';
export { type CheckpointEntry, foreignError, listCheckpoints, readEntry } from './list.ts';
export {
  type CheckpointPart,
  findDamage,
  type LoadedCheckpoint,
  loadCheckpoint,
  nextBestCheckpoint,
} from './load.ts';
export { CheckpointManifest, type FrozenWeights } from './manifest.ts';
export { type MatchOptions, type MatchReport, type ModelTensor, matchHints, matchStateDict } from './match.ts';
export { checkpointPlaces, runFolderOf } from './places.ts';
export { type BestBy, promoteBest } from './promote.ts';
export { type ResolvedCheckpoint, resolveCheckpoint } from './resolve.ts';
export { planPruning, pruneCheckpoints, removeCheckpoint } from './retention.ts';
export type { Dtype, TensorArray } from './safetensors/dtype.ts';
export { openSafetensors, parseSafetensors, type SafetensorsFile, type TensorData } from './safetensors/read.ts';
export { type ByteSink, type TensorSource, writeSafetensors } from './safetensors/write.ts';
export { type CheckpointRequest, type SavedCheckpoint, saveCheckpoint, tensorFileBytes } from './save.ts';
export { type SetAside, setLaterAside } from './setAside.ts';
export { type TensorValues, tensorSource, toTensorValues } from './tensors.ts';
