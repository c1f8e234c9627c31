// Our Trainer in a process of its own; see slicedTrainer.ts.
import { DataLoader, manualSeed } from '../../../engine/index.ts';
import { GraphCalls } from './graphCalls.ts';
import { makeModel } from './models.ts';
import { Prepared } from './prepared.ts';
import { SlicedTrainer, type Slices } from './slicedTrainer.ts';
import { nextSlice, SliceClock, say, serveSlices } from './slices.ts';
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

/** Serves slices of trainings; 'bare' only those of the calls of TensorFlow that a compiled training comes down to. */
export async function serveTrainer(
  name: ModelName,
  side: 'eager' | 'compiled' | 'bare',
  stretch: number,
): Promise<void> {
  process.on('SIGTERM', () => process.exit());
  manualSeed(1);
  const model = makeModel(name, true);
  const steps = sliceSteps[name] * stretch;
  const calls = side === 'bare' ? new GraphCalls(batches) : undefined;
  const bare: Slices | undefined = calls && {
    // from the third epoch on: by then the training has settled what it calls
    begin: async (epoch) => {
      if (epoch >= 2) await serveSlices(() => calls.repeat(steps));
    },
    end: () => undefined,
  };
  const slices = bare ?? askedSlices();
  if (bare === undefined) say('ready');
  const loader = new DataLoader({ dataset: new Prepared(taskData(name)), batch_size: batchSize });
  await new SlicedTrainer({ model, loader, steps, compile: side !== 'eager', slices }).fit();
}
