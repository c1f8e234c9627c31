import { BCELoss, BCEWithLogitsLoss, MultiLabelSoftMarginLoss, SoftMarginLoss } from './losses/binary.ts';
import { CrossEntropyLoss, KLDivLoss, NLLLoss } from './losses/crossEntropy.ts';
import {
  CosineEmbeddingLoss,
  HingeEmbeddingLoss,
  MarginRankingLoss,
  MultiMarginLoss,
  TripletMarginLoss,
} from './losses/margin.ts';
import { GaussianNLLLoss, HuberLoss, L1Loss, MSELoss, PoissonNLLLoss, SmoothL1Loss } from './losses/regression.ts';
import { IdentityWrapper, LossSumWrapper } from './losses/wrappers.ts';
import { Adadelta, Adagrad } from './optimizers/adagrad.ts';
import { Adam, AdamW } from './optimizers/adam.ts';
import { Adamax, NAdam, RAdam } from './optimizers/adamVariants.ts';
import { RMSprop } from './optimizers/rmsprop.ts';
import { SGD } from './optimizers/sgd.ts';
import { LayerwiseLRDecay, NoWeightDecay } from './parameterGroups.ts';
import { ChainedScheduler, SequentialLR } from './schedulers/composite.ts';
import { CosineAnnealingLR, CosineAnnealingWarmRestarts } from './schedulers/cosine.ts';
import { CyclicLR } from './schedulers/cyclic.ts';
import { getScheduler } from './schedulers/getScheduler.ts';
import { GreedyLR } from './schedulers/greedy.ts';
import { LambdaLR, MultiplicativeLR } from './schedulers/lambda.ts';
import { OneCycleLR } from './schedulers/oneCycle.ts';
import { ReduceLROnPlateau } from './schedulers/plateau.ts';
import { ConstantLR, LinearLR, PolynomialLR } from './schedulers/ramps.ts';
import { ExponentialLR, MultiStepLR, StepLR } from './schedulers/stepwise.ts';

const optimizers = { SGD, Adam, AdamW, RMSprop, Adagrad, Adadelta, Adamax, NAdam, RAdam };

const schedulers = {
  StepLR,
  MultiStepLR,
  ExponentialLR,
  ConstantLR,
  LinearLR,
  PolynomialLR,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  OneCycleLR,
  CyclicLR,
  LambdaLR,
  MultiplicativeLR,
  SequentialLR,
  ChainedScheduler,
  ReduceLROnPlateau,
  GreedyLR,
};

const losses = {
  CrossEntropyLoss,
  NLLLoss,
  BCELoss,
  BCEWithLogitsLoss,
  MSELoss,
  L1Loss,
  SmoothL1Loss,
  HuberLoss,
  KLDivLoss,
  PoissonNLLLoss,
  GaussianNLLLoss,
  HingeEmbeddingLoss,
  MarginRankingLoss,
  CosineEmbeddingLoss,
  TripletMarginLoss,
  MultiMarginLoss,
  MultiLabelSoftMarginLoss,
  SoftMarginLoss,
};

const wrappers = { LossSumWrapper, IdentityWrapper };

function under(prefixes: readonly string[], members: Readonly<Record<string, object>>): [string, object][] {
  return prefixes.flatMap((prefix) =>
    Object.entries(members).map(([name, member]): [string, object] => [`${prefix}.${name}`, member]),
  );
}

/**
 * Every target this folder provides: our own names, and those of PyTorch, transformers and AccelHydra, so that configs
 * written for them run unchanged. Values are classes (`new Class(...args, options)`) and factories (`get_scheduler`).
 */
export const builtinOptim: Readonly<Record<string, object>> = Object.fromEntries([
  ...under(['accelhydra.optim', 'torch.optim'], optimizers),
  ...under(['accelhydra.optim'], { NoWeightDecay, LayerwiseLRDecay }),
  ...under(['accelhydra.lr_scheduler', 'torch.optim.lr_scheduler'], schedulers),
  ...under(['accelhydra.nn', 'torch.nn'], losses),
  ...under(['accelhydra.losses', 'accel_hydra.losses'], wrappers),
  // AccelHydra's own spelling.
  ['accel_hydra.losses.IndentityWrapper', IdentityWrapper],
  ['accelhydra.get_scheduler', getScheduler],
  ['transformers.get_scheduler', getScheduler],
]);
