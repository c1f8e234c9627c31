// Validation steps as graphs: the same metrics, and steps that do more than computing stay as they are.
import type * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadBackend, tensorflowObstacle } from '../../../engine/backend/index.ts';
import { DataLoader } from '../../../engine/data/index.ts';
import { Dropout, LayerNorm, Linear, Sequential } from '../../../engine/trainer/model/layers/index.ts';
import { type Batch, StepTrainer, train, Waves } from './compiledSupport.ts';

const missing = tensorflowObstacle();

const model = () =>
  new Sequential(
    new Linear({ in_features: 3, out_features: 6 }),
    new LayerNorm({ normalized_shape: [6] }),
    new Dropout({ p: 0.3 }),
    new Linear({ in_features: 6, out_features: 1 }),
  );

let calls = 0;
/** In a function of its own: a step whose own text changes a variable of the module is not compiled. */
const called = (): void => {
  calls++;
};
let factor = 1;

/** Two metrics, one of them weighed by the step itself and with a factor that a hook changes. */
class Measures extends StepTrainer {
  override on_validation_start(): void {
    factor = this.epoch + 1;
  }

  override validation_step([x, y]: Batch): void {
    called();
    const output = this.model.call(x);
    this.accumulate({ loss: this.loss_fn.call(output, y) });
    this.accumulate({ size: output.abs().mul(factor) }, 2);
  }
}

class Keeps extends StepTrainer {
  readonly outputs: tf.Tensor[] = [];
  shapes = 0;

  override validation_step([x, y]: Batch): void {
    const output = this.model.call(x);
    this.outputs.push(output);
    this.accumulate({ loss: this.loss_fn.call(output, y) });
  }

  override on_validation_end(): void {
    this.shapes += this.outputs.reduce((sum, { size }) => sum + size, 0);
    for (const output of this.outputs.splice(0)) output.dispose();
  }
}

class Waits extends StepTrainer {
  override async validation_step([x, y]: Batch): Promise<void> {
    await Promise.resolve();
    this.accumulate({ loss: this.loss_fn.call(this.model.call(x), y) });
  }
}

describe.skipIf(missing)(`compiled validation${missing ? ` (${missing})` : ''}`, () => {
  beforeAll(async () => {
    await loadBackend({ backend: 'tensorflow', threads: 1, interOpThreads: 1 });
  });

  const options = () => ({
    epochs: 3,
    ema_decay: 0.5,
    val_dataloader: new DataLoader({ dataset: new Waves(38, [3], 'number'), batch_size: 4 }),
  });

  async function bothWays(trainer: typeof StepTrainer) {
    const run = { model, data: new Waves(8, [3], 'number'), trainer };
    const [eager, compiled] = [
      await train({ ...run, compile: false, options: options() }),
      await train({ ...run, compile: 'auto', options: options() }),
    ];
    for (const key of ['val/loss', 'val/size']) {
      const close = eager.points(key).map(({ step, value }) => ({ step, value: expect.closeTo(value, 5) }));
      expect(compiled.points(key)).toEqual(close);
    }
    expect(compiled.points('val/loss')).toHaveLength(3);
    return { eager, compiled };
  }

  test('metrics are the same, an odd last batch and what hooks change included', async () => {
    calls = 0;
    await bothWays(Measures);
    // ten batches in each of three validations, one operation at a time; recorded, most of them run no JavaScript
    expect(calls).toBeLessThan(30 + 20);
  });

  test('a step that keeps its outputs, and one that waits, stay as they are', async () => {
    const { compiled } = await bothWays(Keeps);
    expect(compiled.trainer instanceof Keeps ? compiled.trainer.shapes : 0).toBe(3 * 38);
    await bothWays(Waits);
  });
});
