export {
  type AttributeValue,
  type ConstantValue,
  DataType,
  encodeGraph,
  encodeSavedModel,
  type GraphNode,
  type TensorInfo,
} from './graphDef.ts';
export { GraphSession } from './graphSession.ts';
export type { NativeSessions } from './nativeSessions.ts';
export { LateFailure, mostUnderway, QueuedSession } from './queuedSession.ts';
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
export { deleteResult, type FedValue, type HostValue, nativeResult, type RunResult, type Session } from './session.ts';
export { buildStepGraph, type Cell, type PartGraph, resourceKey, type StepGraph } from './stepGraph.ts';
