import * as tf from '@tensorflow/tfjs';

type TapeNode = NonNullable<ReturnType<typeof tf.engine>['state']['activeTape']>[number];

export interface LossGradients {
  readonly value: tf.Scalar;
  /** In the order of the variables; undefined where the loss does not depend on one. */
  readonly gradients: readonly (tf.Tensor | undefined)[];
}

/**
 * The loss and its gradients: what `tf.variableGrads` gives, by the same operations in the same order. That one makes a
 * copy of the tape with what leads from variables to the loss before it goes back over it; this looks while it goes. Both
 * results are the caller's to dispose.
 * @throws Error where an operation between them has no gradient
 */
export function lossGradients(loss: () => tf.Scalar, variables: readonly tf.Variable[]): LossGradients {
  const engine = tf.engine();
  const { state } = engine;
  const isOutermost = state.gradientDepth === 0;
  if (isOutermost) state.activeTape = [];
  state.gradientDepth++;
  let value: tf.Scalar;
  try {
    value = engine.tidy('forward', loss);
  } finally {
    state.gradientDepth--;
  }
  const tape = state.activeTape;
  const found: tf.Tensor[] = [];
  engine.startScope('backward');
  try {
    const byTensor = new Map<number, tf.Tensor>([[value.id, tf.ones(value.shape)]]);
    walkBack(tape, dependents(tape, variables), byTensor);
    const gradients = variables.map(({ id }) => byTensor.get(id));
    for (const gradient of gradients) if (gradient !== undefined) found.push(gradient);
    if (isOutermost) freeSaved(tape);
    return { value, gradients };
  } finally {
    engine.endScope(found);
  }
}

/** Ids of what was computed from the variables, theirs too. */
function dependents(tape: readonly TapeNode[], variables: readonly tf.Variable[]): ReadonlySet<number> {
  const ids = new Set<number>();
  for (const { id } of variables) ids.add(id);
  for (const { inputs, outputs } of tape) {
    for (const name in inputs) {
      const input = inputs[name];
      if (input === undefined || !ids.has(input.id)) continue;
      for (const { id } of outputs) ids.add(id);
      break;
    }
  }
  return ids;
}

function walkBack(tape: readonly TapeNode[], wanted: ReadonlySet<number>, byTensor: Map<number, tf.Tensor>): void {
  for (let i = tape.length - 1; i >= 0; i--) {
    const node = tape[i];
    if (node === undefined || !isBetween(node, wanted, byTensor)) continue;
    if (node.gradient === undefined)
      throw new Error(`Cannot compute gradient: gradient function not found for ${node.kernelName}.`);
    // the tape takes what has no gradient for zeros
    const of = node.gradient(node.outputs.map(({ id }) => byTensor.get(id) ?? null) as tf.Tensor[]);
    for (const name in node.inputs) {
      const input = node.inputs[name];
      if (input === undefined || !wanted.has(input.id)) continue;
      const compute = of[name];
      if (compute === undefined)
        throw new Error(`Cannot backprop through input ${name} of ${node.kernelName}: it has no gradient.`);
      const gradient = tf.tidy(compute);
      checkGradient(node, name, input, gradient);
      const before = byTensor.get(input.id);
      byTensor.set(input.id, before === undefined ? gradient : tf.add(before, gradient));
      before?.dispose();
    }
  }
}

/** Whether a node leads from something wanted to the loss. */
function isBetween(node: TapeNode, wanted: ReadonlySet<number>, byTensor: ReadonlyMap<number, tf.Tensor>): boolean {
  for (const { id } of node.outputs) if (wanted.has(id) && byTensor.has(id)) return true;
  return false;
}

function checkGradient({ kernelName }: TapeNode, name: string, input: tf.Tensor, gradient: tf.Tensor): void {
  const isLike = gradient.dtype === 'float32' && tf.util.arraysEqual(gradient.shape, input.shape);
  if (isLike) return;
  throw new Error(
    `The gradient of ${kernelName} for its input '${name}' is ${gradient.dtype} of shape [${gradient.shape}], not float32 of shape [${input.shape}].`,
  );
}

function freeSaved(tape: readonly TapeNode[]): void {
  for (const { saved } of tape) for (const tensor of saved ?? []) tensor.dispose();
  Reflect.set(tf.engine().state, 'activeTape', null);
}
