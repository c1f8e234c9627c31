// Our Trainer in a process of its own; see slicedTrainer.ts.
import { DataLoader, disposeBatch, manualSeed } from '../../../engine/index.ts';
import { tensorBackend } from '../../../engine/trainer/compile/nativeTensors.ts';
import { withLibrary } from '../../support/nativeLibrary.ts';
import { GraphCalls } from './graphCalls.ts';
import { makeModel } from './models.ts';
import { Prepared } from './prepared.ts';
import { SlicedLoader } from './slicedLoader.ts';
import { SlicedTrainer, type Slices } from './slicedTrainer.ts';
import { nextSlice, SliceClock, say } from './slices.ts';
import { batches, batchSize, type ModelName, repeats, sliceSteps, taskData } from './tasks.ts';

function askedSlices(): Slices {
  const clock = new SliceClock();
  return {
    begin: async () => {
      await nextSlice();
      clock.start();
    },
    end: () => clock.finish(),
  };
}

/** Serves slices of trainings. */
export async function serveTrainer(name: ModelName, side: 'eager' | 'compiled', stretch: number): Promise<void> {
  say('ready');
  await train(name, side === 'compiled', sliceSteps[name] * stretch, askedSlices());
}

/**
 * Serves slices of a compiled training and, asked for `bare`, of nothing but the calls of the binding that its steps come down
 * to; asked for `fed`, of these calls in a loop over batches of the loader, which go to TensorFlow too. In one process: from
 * process to process the very same calls differ by more than the trainer costs.
 */
export async function serveOverhead(name: ModelName, stretch: number): Promise<void> {
  const steps = sliceSteps[name] * stretch;
  const calls = await recordedCalls(name);
  const fed = fedCalls(calls, new DataLoader(dataOf(name)));
  const clock = new SliceClock();
  let counted = false;
  const slices: Slices = {
    begin: async (slice) => {
      // from the third slice on: by then the training has settled what it does
      if (slice < 2) return;
      counted = true;
      if (slice === 2) say('ready');
      for (let asked = await nextSlice(); asked !== 'slice'; asked = await nextSlice()) {
        clock.start();
        if (asked === 'fed') for (let step = 0; step < steps; step++) await fed.next();
        else calls.repeat(steps);
        clock.finish();
      }
      clock.start();
    },
    end: () => {
      if (counted) clock.finish();
    },
  };
  await train(name, true, steps, slices);
}

/** Calls of `runSavedModel` that a training makes whose graphs the binding runs. It stands still from then on. */
async function recordedCalls(name: ModelName): Promise<GraphCalls> {
  const calls = new GraphCalls(batches);
  await withLibrary(
    () => undefined,
    () =>
      new Promise((resolve, reject) => {
        const begin = async (slice: number) => {
          if (slice < 2) return;
          resolve(undefined);
          await new Promise(() => undefined);
        };
        train(name, true, sliceSteps[name], { begin, end: () => undefined }).catch(reject);
      }),
  );
  calls.settle();
  return calls;
}

/** A call each time it is asked. */
async function* fedCalls(calls: GraphCalls, loader: DataLoader): AsyncGenerator<void, never> {
  const backend = tensorBackend();
  let step = 0;
  for (;;)
    for await (const batch of loader) {
      if (!Array.isArray(batch)) throw new Error('a batch is [inputs, labels]');
      backend?.getInputTensorIds(batch);
      calls.once(step++);
      disposeBatch(batch);
      yield;
    }
}

function dataOf(name: ModelName) {
  return { dataset: new Prepared(taskData(name), repeats), batch_size: batchSize };
}

async function train(name: ModelName, compile: boolean, steps: number, slices: Slices): Promise<void> {
  process.on('SIGTERM', () => process.exit());
  manualSeed(1);
  const model = makeModel(name, true);
  const loader = new SlicedLoader(dataOf(name), steps, slices, model);
  await new SlicedTrainer({ model, loader, steps: Number.MAX_SAFE_INTEGER, compile }).fit();
}
