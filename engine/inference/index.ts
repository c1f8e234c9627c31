export type { BatchDone } from './batchProtocol.ts';
export {
  defaultSessionLimits,
  InferenceSession,
  type SessionLimits,
  type SessionOptions,
  type SessionState,
} from './inferenceSession.ts';
export type {
  BatchInference,
  InferenceArguments,
  InferenceModel,
  MetricTotal,
  ModelInput,
  PredictionOutput,
  SampleView,
} from './modelContract.ts';
export { type RunInferenceRequest, runInference } from './runInference.ts';
export type { SessionDescription } from './sessionProtocol.ts';
