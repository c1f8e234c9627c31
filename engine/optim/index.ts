export { builtinOptim } from './builtinOptim.ts';
export { type ClippedGradients, clipGradNorm, clipGradValue, gradientNorm } from './clip.ts';
export type { OptimizerResource } from './fusedSlots.ts';
export type { Gradients } from './gradients.ts';
export { BCELoss, BCEWithLogitsLoss, MultiLabelSoftMarginLoss, SoftMarginLoss } from './losses/binary.ts';
export { CrossEntropyLoss, KLDivLoss, NLLLoss } from './losses/crossEntropy.ts';
export {
  CosineEmbeddingLoss,
  HingeEmbeddingLoss,
  MarginRankingLoss,
  MultiMarginLoss,
  TripletMarginLoss,
} from './losses/margin.ts';
export { containsNan, maskedLoss, maskFromLengths, trimOrPad } from './losses/masking.ts';
export { GaussianNLLLoss, HuberLoss, L1Loss, MSELoss, PoissonNLLLoss, SmoothL1Loss } from './losses/regression.ts';
export { IdentityWrapper, LossSumWrapper, type LossTerms } from './losses/wrappers.ts';
export { LossScaler, type LossScalerState } from './lossScaler.ts';
export { type NativeBackend, nativeBackend, type ResourceHolder } from './nativeOps.ts';
export { Optimizer, type PlannedUpdate } from './optimizer.ts';
export type { OptimizerScalars, OptimizerState, SavedOptimizer } from './optimizerState.ts';
export { Adadelta, Adagrad } from './optimizers/adagrad.ts';
export { Adam, AdamW } from './optimizers/adam.ts';
export { Adamax, NAdam, RAdam } from './optimizers/adamVariants.ts';
export { RMSprop } from './optimizers/rmsprop.ts';
export { SGD } from './optimizers/sgd.ts';
export type { DeclaresOptions } from './options.ts';
export type { NamedParameter, ParameterGroup, ParameterGroupRequest, ParameterSelector } from './parameter.ts';
export { LayerwiseLRDecay, NoWeightDecay, type ParameterGroupBuilder } from './parameterGroups.ts';
export {
  epochLengthOf,
  microStepsFor,
  passInside,
  passOutside,
  type SchedulerInterval,
  type StepCounts,
  schedulerLengths,
  schedulerUpdates,
  totalTrainingSteps,
  totalUpdates,
  type WarmupParams,
  warmupMicroSteps,
  warmupUpdates,
} from './schedulerSteps.ts';
export { advanceScheduler, type FilledOptions, fillSchedulerOptions, followsMetric } from './schedulers/adapter.ts';
export { ChainedScheduler, SequentialLR } from './schedulers/composite.ts';
export { CosineAnnealingLR, CosineAnnealingWarmRestarts } from './schedulers/cosine.ts';
export { CyclicLR } from './schedulers/cyclic.ts';
export { getScheduler, type ScheduleName, scheduleNames } from './schedulers/getScheduler.ts';
export { GreedyLR } from './schedulers/greedy.ts';
export { LambdaLR, MultiplicativeLR } from './schedulers/lambda.ts';
export { OneCycleLR } from './schedulers/oneCycle.ts';
export { ReduceLROnPlateau } from './schedulers/plateau.ts';
export { ConstantLR, LinearLR, PolynomialLR } from './schedulers/ramps.ts';
export {
  type LearningRateScheduler,
  LRScheduler,
  type SchedulableOptimizer,
  type SchedulerState,
} from './schedulers/scheduler.ts';
export { ExponentialLR, MultiStepLR, StepLR } from './schedulers/stepwise.ts';
export { WeightAverage, type WeightAverageOptions, type WeightAverageScalars } from './weightAverage.ts';
