// Both sides of the trainer's benchmark in one process, where the same code of TensorFlow.js, compiled by V8 and laid out in
// memory the same way, runs for both: from process to process its speed differs by more than the trainer costs.
// Arguments: model, ours (ours or eager), clock. Both sides train without end, a few steps each in turn, so that what else
// the machine does meets both alike; a message asks for some turns of each, and is answered with the sides' samples per
// second. Starting fit() and its epochs' ends are not in it, what each step costs is.
import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs';
import { loadBackend } from '../../../engine/backend/index.ts';
import { Adam, CrossEntropyLoss, DataLoader, disposeBatch, type Module, manualSeed } from '../../../engine/index.ts';
import { gradientNorm } from '../../../engine/optim/index.ts';
import { installFastGradients } from '../../../engine/trainer/model/fastGradients.ts';
import { Prepared } from './prepared.ts';
import { SlicedLoader } from './slicedLoader.ts';
import { type Batch, SlicedTrainer } from './slicedTrainer.ts';
import { smallCnn, smallMlp } from './smallNets.ts';
import { batchSize, rate, repeats, taskData } from './tasks.ts';

type Side = 'ours' | 'peer';

/** Steps of a turn: a tenth of a second. */
const turnSteps = process.argv[2] === 'cnn' ? 10 : 25;
/** Turns of each side that are one answer. */
const turns = 5;

/** Says which side trains. A side hands over at the end of each turn, and waits until the next of its own. */
class Baton {
  readonly #waiting = new Map<Side, () => void>();
  readonly #ms = { ours: 0, peer: 0 };
  #left = 0;
  #tell: () => void = () => undefined;
  #started: number | undefined;

  /** Resolves once the side that is being started stands before its first turn. */
  standing(): Promise<void> {
    this.#started = undefined;
    return new Promise((resolve) => {
      this.#tell = resolve;
    });
  }

  /** Lets the sides take their turns; gives the samples per second of each. */
  async run(first: Side): Promise<Readonly<Record<Side, number>>> {
    this.#left = 2 * turns;
    this.#ms.ours = 0;
    this.#ms.peer = 0;
    const done = this.standing();
    this.#waiting.get(first)?.();
    await done;
    const speed = (ms: number) => (turns * turnSteps * batchSize) / (ms / 1000);
    return { ours: speed(this.#ms.ours), peer: speed(this.#ms.peer) };
  }

  /** Ends a turn, if one was begun; resolves when the side's next one begins. */
  async next(side: Side): Promise<void> {
    // what native tensors leave to be cleaned up is cleaned up between tasks: each side pays for its own, and its garbage
    globalThis.gc?.({ type: 'minor' });
    await setImmediate();
    if (this.#started !== undefined) {
      this.#ms[side] += now() - this.#started;
      this.#left--;
    }
    const turn = new Promise<void>((resolve) => {
      this.#waiting.set(side, resolve);
    });
    if (this.#started !== undefined && this.#left > 0) this.#waiting.get(side === 'ours' ? 'peer' : 'ours')?.();
    else this.#tell();
    await turn;
    this.#started = now();
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** What anybody would write: gradients, optimizer step, and now and then a look at the loss and the gradients' norm. */
async function handWritten(model: Module, loader: DataLoader): Promise<void> {
  const optimizer = new Adam(model.namedParameters(), { lr: rate });
  const loss = new CrossEntropyLoss({ class_axis: -1 });
  const parameters = model.namedParameters();
  const variables = parameters.map(({ variable }) => variable);
  let step = 0;
  await baton.next('peer');
  for (;;) {
    for await (const batch of loader) {
      if (!isBatch(batch)) throw new Error('a batch is [images, labels]');
      const [images, labels] = batch;
      const { value, grads } = tf.variableGrads(() => loss.call(model.call(images), labels) as tf.Scalar, variables);
      const gradients = new Map(
        parameters.flatMap(({ name, variable }) =>
          grads[variable.name] ? [[name, grads[variable.name] as tf.Tensor]] : [],
        ),
      );
      const isLogged = step % 50 === 0;
      const norm = isLogged ? gradientNorm(gradients) : undefined;
      optimizer.step(gradients);
      if (isLogged) await Promise.all([value.data(), norm?.data()]);
      norm?.dispose();
      tf.dispose([value, ...gradients.values()]);
      disposeBatch(batch);
      if (++step % turnSteps === 0) await baton.next('peer');
    }
  }
}

function isBatch(value: unknown): value is Batch {
  return Array.isArray(value) && value.length === 2;
}

const [modelName, oursName, clock] = process.argv.slice(2);
// the processor's time forgets what other programs took of it; the wall's does not
const now = clock === 'cpu' ? cpuMs : () => performance.now();
await loadBackend({ threads: 1, interOpThreads: 1 });
// both sides run the same operations: what is measured is the trainer, not its gradients
installFastGradients();
process.on('disconnect', () => process.exit());
const baton = new Baton();
const data = { dataset: new Prepared(taskData('cnn'), repeats), batch_size: batchSize };

function network(): Module {
  manualSeed(1);
  return modelName === 'cnn' ? smallCnn() : smallMlp();
}

const trainings: Readonly<Record<Side, () => Promise<unknown>>> = {
  ours: () => {
    const model = network();
    const slices = { begin: () => baton.next('ours'), end: () => undefined };
    return new SlicedTrainer({
      model,
      loader: new SlicedLoader(data, turnSteps, slices, model),
      steps: Number.MAX_SAFE_INTEGER,
      compile: oursName === 'eager' ? false : 'auto',
      logEvery: 50,
    }).fit();
  },
  peer: () => handWritten(network(), new DataLoader(data)),
};
for (const training of [trainings.ours, trainings.peer]) {
  const standing = baton.standing();
  // not awaited: both train without end
  training().catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
  await standing;
}
let first: Side = 'ours';
process.on('message', async () => {
  process.send?.(await baton.run(first));
  first = first === 'ours' ? 'peer' : 'ours';
});
process.send?.('ready');
