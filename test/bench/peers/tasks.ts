// What every side of the training benchmark trains; training.py repeats it in Python.

export const modelNames = ['cnn', 'mlp', 'char', 'heavy'] as const;
export type ModelName = (typeof modelNames)[number];

export const modelTitles: Readonly<Record<ModelName, string>> = {
  cnn: 'small CNN',
  mlp: 'MLP',
  char: 'char transformer',
  heavy: 'MNIST CNN of AccelHydra',
};

export const batchSize = 64;
/** Batches of data; they are gone through again and again. */
export const batches = 8;
/** How often a loader's pass goes through them: its end is not a step's cost, and comes as seldom as in real data. */
export const repeats = 100;
/** So small that the numbers stay what they are: a converged model computes with denormal floats, slowly. */
export const rate = 1e-6;

/** Steps of one slice: about half a second on two cores. */
export const sliceSteps: Readonly<Record<ModelName, number>> = { cnn: 80, mlp: 200, char: 4, heavy: 6 };

/** The transformer: characters, their context, width, heads, layers. */
export const text = { vocabulary: 65, length: 64, width: 128, heads: 4, layers: 2 } as const;

export interface TaskData {
  /** [batches · batchSize, …inputShape] */
  readonly inputs: Float32Array | Int32Array;
  readonly inputShape: readonly number[];
  /** Class numbers [batches · batchSize, …labelShape]. */
  readonly labels: Int32Array;
  readonly labelShape: readonly number[];
}

/** Noise and classes: speed does not depend on what is learnt. */
export function taskData(model: ModelName): TaskData {
  const rows = batchSize * batches;
  if (model === 'char') {
    const make = (factor: number) =>
      Int32Array.from({ length: rows * text.length }, (_, i) => (i * factor) % text.vocabulary);
    return { inputs: make(7), inputShape: [text.length], labels: make(11), labelShape: [text.length] };
  }
  return {
    inputs: Float32Array.from({ length: rows * 784 }, (_, i) => Math.sin(i * 0.37)),
    inputShape: [28, 28, 1],
    labels: Int32Array.from({ length: rows }, (_, i) => i % 10),
    labelShape: [],
  };
}
