// Our Trainer in a process of its own; see slicedTrainer.ts.
import { DataLoader, manualSeed } from '../../../engine/index.ts';
import { GraphCalls } from './graphCalls.ts';
import { makeModel } from './models.ts';
import { Prepared } from './prepared.ts';
import { SlicedTrainer, type Slices } from './slicedTrainer.ts';
import { nextSlice, SliceClock, say } from './slices.ts';
import { batches, batchSize, type ModelName, sliceSteps, taskData } from './tasks.ts';

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
 * Serves slices of a compiled training and, asked for `bare`, of nothing but the calls of TensorFlow that it comes down
 * to. In one process, so that both find the same graph at the same place in memory: from process to process the very same
 * calls differ by more than the trainer costs.
 */
export async function serveOverhead(name: ModelName, stretch: number): Promise<void> {
  const steps = sliceSteps[name] * stretch;
  const calls = new GraphCalls(batches);
  const clock = new SliceClock();
  const slices: Slices = {
    begin: async (epoch) => {
      // from the third epoch on: by then the training has settled what it calls
      if (epoch < 2) return;
      if (epoch === 2) say('ready');
      calls.settle();
      while ((await nextSlice()) === 'bare') {
        clock.start();
        calls.repeat(steps);
        clock.finish();
      }
      clock.start();
    },
    end: () => {
      if (epochs++ >= 2) clock.finish();
    },
  };
  let epochs = 0;
  await train(name, true, steps, slices);
}

async function train(name: ModelName, compile: boolean, steps: number, slices: Slices): Promise<void> {
  process.on('SIGTERM', () => process.exit());
  manualSeed(1);
  const model = makeModel(name, true);
  const loader = new DataLoader({ dataset: new Prepared(taskData(name)), batch_size: batchSize });
  await new SlicedTrainer({ model, loader, steps, compile, slices }).fit();
}
