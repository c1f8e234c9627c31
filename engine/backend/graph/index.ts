export {
  type ConstantValue,
  DataType,
  encodeGraph,
  encodeSavedModel,
  type GraphNode,
  type TensorInfo,
} from './graphDef.ts';
export { GraphSession } from './graphSession.ts';
export { type RecordableBackend, Recorder } from './recorder.ts';
export {
  type Constant,
  difference,
  type Input,
  type Obstacle,
  type Operation,
  type OperationOutput,
  sameValue,
  type Value,
} from './recording.ts';
export { Mismatch, Replay } from './replay.ts';
export { buildStepGraph, type Cell, type PartGraph, resourceKey, type StepGraph } from './stepGraph.ts';
