// What project code imports as 'accelhydra-studio': models, data, optimizers and the trainer. The tensor functions
// themselves come from '@tensorflow/tfjs'.
export { EngineError } from './api/errors.ts';
export type { ModelSignature } from './api/inferenceModel.ts';
export { deriveSeed, Random, type RandomState } from './base/random.ts';
export * from './data/index.ts';
export type {
  BatchInference,
  InferenceArguments,
  InferenceModel,
  MetricTotal,
  ModelInput,
  PredictionOutput,
  SampleView,
} from './inference/modelContract.ts';
export * from './optim/index.ts';
export * from './trainer/index.ts';
