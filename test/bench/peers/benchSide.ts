// One side of the trainer's benchmark in a process of its own, so that neither side pays for the other's garbage or is
// compiled for the other's types. Arguments: model, side (ours, eager or peer), clock. Both sides train without end in slices of a fraction of a
// second; each message starts a slice and is answered with its samples per second. The slices of the two sides take turns,
// so that what else the machine does meets both alike, and starting fit() does not pass for a cost per step.
import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs';
import { loadBackend } from '../../../engine/backend/index.ts';
import { Adam, CrossEntropyLoss, DataLoader, disposeBatch, type Module, manualSeed } from '../../../engine/index.ts';
import { installFastGradients } from '../../../engine/trainer/model/fastGradients.ts';
import { Prepared } from './prepared.ts';
import { type Batch, SlicedTrainer, type Slices } from './slicedTrainer.ts';
import { smallCnn, smallMlp } from './smallNets.ts';
import { batchSize, rate, taskData } from './tasks.ts';

const steps = process.argv[2] === 'cnn' ? 20 : 150;

/** The parent's turns: a slice begins when it says so, and its speed is the answer. */
class ToldSlices implements Slices {
  readonly #now: () => number;
  #start: () => void = () => undefined;
  #started = 0;

  constructor(clock: string | undefined) {
    // the processor's time forgets what other programs took of it; the wall's does not
    this.#now = clock === 'cpu' ? cpuMs : () => performance.now();
    process.on('message', () => this.#start());
  }

  async begin(): Promise<void> {
    const turn = new Promise<void>((resolve) => {
      this.#start = resolve;
    });
    process.send?.('ready');
    await turn;
    this.#started = this.#now();
  }

  async end(): Promise<void> {
    // what native tensors leave to be cleaned up is cleaned up between tasks: each side pays for its own
    await setImmediate();
    process.send?.((steps * batchSize) / ((this.#now() - this.#started) / 1000));
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

/** What anybody would write: gradients, optimizer step, and the loss read now and then. */
async function handWritten({ model, loader }: Side): Promise<void> {
  const optimizer = new Adam(model.namedParameters(), { lr: rate });
  const loss = new CrossEntropyLoss({ class_axis: -1 });
  const parameters = model.namedParameters();
  const variables = parameters.map(({ variable }) => variable);
  let step = 0;
  await slices.begin();
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
      optimizer.step(gradients);
      if (step % 50 === 0) await value.data();
      tf.dispose([value, ...gradients.values()]);
      disposeBatch(batch);
      if (++step % steps > 0) continue;
      await slices.end();
      await slices.begin();
    }
  }
}

function isBatch(value: unknown): value is Batch {
  return Array.isArray(value) && value.length === 2;
}

const [modelName, sideName, clock] = process.argv.slice(2);
await loadBackend({ threads: 1, interOpThreads: 1 });
// both sides run the same operations: what is measured is the trainer, not its gradients
installFastGradients();
process.on('disconnect', () => process.exit());
manualSeed(1);
const side: Side = {
  model: modelName === 'cnn' ? smallCnn() : smallMlp(),
  loader: new DataLoader({ dataset: new Prepared(taskData('cnn')), batch_size: batchSize }),
};
const slices = new ToldSlices(clock);
const compile = sideName === 'eager' ? false : 'auto';
await (sideName === 'peer'
  ? handWritten(side)
  : new SlicedTrainer({ ...side, steps, compile, logEvery: 50, slices }).fit());
