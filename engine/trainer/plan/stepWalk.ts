/** What decides how the steps of a training follow each other. */
export interface WalkSettings {
  readonly epochs: number;
  readonly epochLength: number;
  /** Steps of one pass over the loader on each process; undefined: the data does not say, passes never end. */
  readonly passLength: number | undefined;
  readonly accumulation: number;
}

/** Who hears of the walk. Step numbers are those that the run's record will have. */
export interface WalkVisitor {
  /** A micro-batch begins: `step` were done before. `isSync`: the optimizer steps at its end. */
  onStep(step: number, isSync: boolean): void;
  /** It was counted: `step` are done now. */
  onStepDone(step: number): void;
  /** `epoch` epochs are done after `step` steps. */
  onEpochDone(epoch: number, step: number): void;
}

/** What is left when the walk ends. */
export interface WalkEnd {
  readonly optimizerSteps: number;
  /** Micro-batches whose gradients never reach the optimizer. */
  readonly unused: number;
}

/**
 * Goes through a training as the loop does, without its work: gradients sync every `accumulation` micro-batches and at
 * the end of each pass over the loader, where the count begins anew; passes do not stop at the end of an epoch.
 */
export function walkSteps(settings: WalkSettings, visitor: WalkVisitor): WalkEnd {
  const { epochs, epochLength, accumulation, passLength = Number.POSITIVE_INFINITY } = settings;
  let [step, batch, accumulated, optimizerSteps] = [0, 0, 0, 0];
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const end = (epoch + 1) * epochLength; step < end; ) {
      batch++;
      accumulated++;
      const isSync = batch >= passLength || accumulated >= accumulation;
      visitor.onStep(step, isSync);
      if (isSync) {
        optimizerSteps++;
        accumulated = 0;
      }
      if (batch >= passLength) batch = 0;
      step++;
      visitor.onStepDone(step);
    }
    visitor.onEpochDone(epoch + 1, step);
  }
  return { optimizerSteps, unused: accumulated };
}
