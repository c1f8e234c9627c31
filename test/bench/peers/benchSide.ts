// Both sides of the trainer's benchmark in one process, where the same code of TensorFlow.js, compiled by V8 and laid out in
// memory the same way, runs for both: from process to process its speed differs by more than the trainer costs.
// Arguments: model, ours (ours or eager), clock. Both sides train without end in slices of a fraction of a second; a message
// names the side whose slice is to run, and is answered with its samples per second. The slices take turns, so that what
// else the machine does meets both alike, and starting fit() does not pass for a cost per step.
import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs';
import { loadBackend } from '../../../engine/backend/index.ts';
import { Adam, CrossEntropyLoss, DataLoader, disposeBatch, type Module, manualSeed } from '../../../engine/index.ts';
import { gradientNorm } from '../../../engine/optim/index.ts';
import { installFastGradients } from '../../../engine/trainer/model/fastGradients.ts';
import { Prepared } from './prepared.ts';
import { type Batch, SlicedTrainer, type Slices } from './slicedTrainer.ts';
import { smallCnn, smallMlp } from './smallNets.ts';
import { batchSize, rate, taskData } from './tasks.ts';

const steps = process.argv[2] === 'cnn' ? 20 : 150;

/** The parent's turns: a side's slice begins when a message names it, and its speed is the answer. */
class ToldSlices implements Slices {
  #start: () => void = () => undefined;
  #started = 0;
  readonly #ready = Promise.withResolvers<void>();

  /** Resolves once the side stands before its first slice. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  start(): void {
    this.#start();
  }

  async begin(): Promise<void> {
    const turn = new Promise<void>((resolve) => {
      this.#start = resolve;
    });
    this.#ready.resolve();
    await turn;
    // garbage of the other side's slice
    globalThis.gc?.({ type: 'minor' });
    await setImmediate();
    this.#started = now();
  }

  async end(): Promise<void> {
    // what native tensors leave to be cleaned up is cleaned up between tasks: each side pays for its own, and its garbage
    globalThis.gc?.({ type: 'minor' });
    await setImmediate();
    const speed = (steps * batchSize) / ((now() - this.#started) / 1000);
    process.send?.(speed);
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

interface Side {
  readonly model: Module;
  readonly loader: DataLoader;
}

/** What anybody would write: gradients, optimizer step, and now and then a look at the loss and the gradients' norm. */
async function handWritten({ model, loader }: Side, slices: Slices): Promise<void> {
  const optimizer = new Adam(model.namedParameters(), { lr: rate });
  const loss = new CrossEntropyLoss({ class_axis: -1 });
  const parameters = model.namedParameters();
  const variables = parameters.map(({ variable }) => variable);
  let step = 0;
  await slices.begin(0);
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
      if (++step % steps > 0) continue;
      await slices.end();
      await slices.begin(0);
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
const sides = new Map([
  ['ours', new ToldSlices()],
  ['peer', new ToldSlices()],
]);

function side(): Side {
  manualSeed(1);
  return {
    model: modelName === 'cnn' ? smallCnn() : smallMlp(),
    loader: new DataLoader({ dataset: new Prepared(taskData('cnn')), batch_size: batchSize }),
  };
}

for (const [name, slices] of sides) {
  const compile = oursName === 'eager' ? false : 'auto';
  const training =
    name === 'peer'
      ? handWritten(side(), slices)
      : new SlicedTrainer({ ...side(), steps, compile, logEvery: 50, slices }).fit();
  // not awaited: both train without end
  training.catch((error: unknown) => {
    console.error(error);
    process.exit(1);
  });
  await slices.ready;
}
process.on('message', (name) => sides.get(String(name))?.start());
process.send?.('ready');
