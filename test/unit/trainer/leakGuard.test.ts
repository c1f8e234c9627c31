import * as tf from '@tensorflow/tfjs';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ExponentialLR } from '../../../engine/optim/index.ts';
import { GrowthWatch } from '../../../engine/trainer/monitor/growth.ts';
import { LeakGuard } from '../../../engine/trainer/monitor/leakGuard.ts';
import type { LeakGuardSettings } from '../../../engine/trainer/settingSections.ts';
import { MemoryFiles, memoryCollectives, setUp } from './support.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const leaked: tf.Tensor[] = [];
const leak = () => void leaked.push(tf.keep(tf.scalar(1)));
beforeEach(() => {
  tf.dispose(leaked.splice(0));
});

describe('growth', () => {
  const watch = () => new GrowthWatch({ windows: 4, least: () => 3 });
  test.each([
    { id: 'rising floors', minima: [1, 2, 3, 4], found: [3] },
    { id: 'a plateau begins anew', minima: [1, 2, 2, 3, 4, 5], found: [5] },
    { id: 'what falls again is no growth', minima: [1, 2, 3, 1, 2, 3], found: [] },
    { id: 'too little is no growth', minima: [1, 1.5, 2, 2.5], found: [] },
  ])('$id', ({ minima, found }) => {
    const growth = watch();
    const at = minima.flatMap((minimum, i) => (growth.take(minimum) === undefined ? [] : [i]));
    expect(at).toEqual(found);
  });
});

// checkpoints in memory are tensors too: none are saved
const guarded = { epochs: 1, epoch_length: 60, leak_guard: { window: 5 }, save_every_n_epochs: null } as const;

/** Has a hook leave a tensor at each call. */
function leakIn(
  trainer: ReturnType<typeof setUp>['trainer'],
  hook: 'validation_step' | 'on_train_epoch_start' | 'on_train_epoch_end' | 'on_validation_start',
): void {
  const plain: (...given: never[]) => unknown = trainer[hook].bind(trainer);
  Object.assign(trainer, {
    [hook]: (...given: never[]) => {
      leak();
      return plain(...given);
    },
  });
}

const warnings = (texts: readonly string[]) => texts.filter((text) => /grows:/.test(text));

describe('tensors that are never freed', () => {
  test('in training_step are found once, with their number', async () => {
    const { trainer, recording } = setUp({ options: guarded });
    const plain = trainer.training_step.bind(trainer);
    trainer.training_step = (batch, index) => {
      leak();
      leak();
      return plain(batch, index);
    };
    await trainer.fit();
    expect(warnings(recording.texts())).toEqual([
      expect.stringMatching(
        /^The number of tensors grows: \d+ to \d+ in 20 steps, 2 a step\. training_step leaves 2 behind at each call: wrap .* tf\.tidy/,
      ),
    ]);
  });

  test.each(['validation_step', 'on_train_epoch_end', 'on_validation_start'] as const)(
    'in %s are found',
    async (hook) => {
      const { trainer, recording } = setUp({ options: { ...guarded, epochs: 40, epoch_length: 2 }, count: 4 });
      leakIn(trainer, hook);
      await trainer.fit();
      expect(warnings(recording.texts())).toEqual([expect.stringContaining(`${hook} leaves 1 behind at each call`)]);
    },
  );

  // a window without an epoch's end sees nothing grow
  test.each(['validation_step', 'on_train_epoch_start'] as const)(
    'in %s are found though windows are shorter than epochs',
    async (hook) => {
      const options = { ...guarded, epochs: 7, epoch_length: 4, leak_guard: { window: 2 } };
      const { trainer, recording } = setUp({ options, count: 4 });
      leakIn(trainer, hook);
      await trainer.fit();
      expect(warnings(recording.texts())).toEqual([
        expect.stringMatching(/in 4 epochs, \d an epoch\. \w+ leaves 1 behind at each call/),
      ]);
      expect(warnings(recording.texts())[0]).toContain(`${hook} leaves`);
    },
  );

  test('in the optimizer are found', async () => {
    const { trainer, recording } = setUp({ options: guarded });
    const { optimizer } = trainer;
    const step = optimizer.step.bind(optimizer);
    optimizer.step = (gradients) => {
      step(gradients);
      leak();
    };
    await trainer.fit();
    expect(warnings(recording.texts())).toEqual([expect.stringContaining('optimizer step leaves 1 behind')]);
  });

  test('in code beside the training are told as such', async () => {
    const { trainer, recording } = setUp({ options: guarded });
    // a schedule is stepped between the hooks
    const scheduler = new ExponentialLR(trainer.optimizer, { gamma: 1 });
    scheduler.step = leak;
    Object.assign(trainer, { lr_scheduler: scheduler });
    await trainer.fit();
    expect(warnings(recording.texts())).toEqual([expect.stringMatching(/a step\. No hook leaves them/)]);
  });

  test('a training that keeps nothing is left in peace, whatever it logs, averages and accumulates', async () => {
    const options = { ...guarded, epochs: 6, epoch_length: 20, log_every_n_steps: 1, ema_decay: 0.9 };
    const { trainer, recording } = setUp({ options: { ...options, gradient_accumulation_steps: 3 } });
    const plain = trainer.training_step.bind(trainer);
    trainer.training_step = (batch, index) => {
      const loss = plain(batch, index);
      trainer.log({ 'train/again': loss });
      return loss;
    };
    await trainer.fit();
    expect(warnings(recording.texts())).toEqual([]);
    expect(recording.points('system/tensors')).toHaveLength(24);
    expect(recording.points('system/rss_bytes')[0]?.value).toBeGreaterThan(1e7);
  });

  test('are nobody’s business when leak_guard is off', async () => {
    const { trainer, recording } = setUp({ options: { ...guarded, leak_guard: false } });
    const plain = trainer.training_step.bind(trainer);
    trainer.training_step = (batch, index) => {
      leak();
      return plain(batch, index);
    };
    await trainer.fit();
    expect(warnings(recording.texts())).toEqual([]);
    expect(recording.points('system/tensors')).toEqual([]);
  });
});

describe('memory of the process', () => {
  const settings: LeakGuardSettings = { window: 1, max_rss_mb: null, recycle_worker_at_checkpoint: false };
  const run = (changes: Partial<LeakGuardSettings>, rss: (step: number) => number) => {
    const texts: string[] = [];
    let step = 0;
    const guard = new LeakGuard(
      { ...settings, ...changes },
      { held: () => 0, rss: () => rss(step) * 2 ** 20, warn: (text) => texts.push(text), onSample: () => undefined },
    );
    for (; step < 60; step++) guard.stepped();
    return { texts, guard };
  };

  test('that grows for long is told once', () => {
    const { texts, guard } = run({}, (step) => 1000 + 10 * step + (step % 5) * 20);
    expect(texts).toEqual([
      expect.stringMatching(
        /^The process grows: 1000 MiB to 1150 MiB of memory in 15 steps, while the number of tensors/,
      ),
    ]);
    expect(guard.isTrouble).toBe(true);
  });

  test('that only swings, or settles after the start, is not', () => {
    expect(run({}, (step) => 1000 + (step % 7) * 100).texts).toEqual([]);
    expect(run({}, (step) => Math.min(1500, 1000 + 50 * step)).texts).toEqual([]);
  });

  test('beyond max_rss_mb is told, with what happens next', () => {
    const changes = { max_rss_mb: 1200, recycle_worker_at_checkpoint: true };
    const { texts } = run(changes, (step) => (step === 0 ? 1100 : 1300));
    expect(texts).toEqual([
      'The process holds 1300 MiB of memory, more than leak_guard.max_rss_mb (1200). The process is replaced at the next checkpoint.',
    ]);
  });

  test('a limit that a new process is beyond already replaces nothing', () => {
    const { texts, guard } = run({ max_rss_mb: 1200, recycle_worker_at_checkpoint: true }, () => 1300);
    expect(texts).toEqual([expect.stringMatching(/It held 1300 MiB before the first step.*: raise the limit\.$/)]);
    expect(guard.isTrouble).toBe(false);
  });
});

describe('recycling', () => {
  const options = { ...guarded, save_every_n_steps: 10, save_last_k: null, epochs: 2 };
  // what the process has when it begins, but not with what the first hook takes
  const recycle = {
    get leak_guard() {
      return { window: 5, max_rss_mb: process.memoryUsage.rss() / 2 ** 20 + 20, recycle_worker_at_checkpoint: true };
    },
  };
  const grow = ({ trainer }: ReturnType<typeof setUp>) => {
    const kept: Buffer[] = [];
    trainer.on_train_start = () => void kept.push(Buffer.alloc(200 * 2 ** 20, 1));
  };

  test('ends all ranks at the next checkpoint, and a new training goes on to the same end', async () => {
    const whole = setUp({ options });
    await whole.trainer.fit();
    const files = new MemoryFiles();
    const collectives = memoryCollectives(1);
    const first = setUp({ files, options: { ...options, ...recycle }, environment: { canRecycle: true } });
    grow(first);
    const result = await first.trainer.fit();
    expect(result).toMatchObject({ status: 'recycled', step: 10, checkpoint: '/run/checkpoints/step_10' });
    expect(first.trainer.events).not.toContain('on_train_end');
    const [collective] = collectives;
    if (collective === undefined) throw new Error('one rank');
    const second = setUp({ files, options, environment: { resumeFrom: result.checkpoint, collective } });
    await second.trainer.fit();
    expect([...first.trainer.losses, ...second.trainer.losses]).toEqual(whole.trainer.losses);
  });

  test('is agreed on by the ranks, though only one of them leaks', async () => {
    const files = new MemoryFiles();
    const ranks = memoryCollectives(2).map((collective, rank) =>
      setUp({
        count: 64,
        files,
        options: { ...options, ...(rank === 1 ? recycle : { leak_guard: { recycle_worker_at_checkpoint: true } }) },
        environment: { collective, canRecycle: true },
      }),
    );
    for (const rank of ranks) grow(rank);
    const results = await Promise.all(ranks.map(({ trainer }) => trainer.fit()));
    expect(results.map(({ status, step }) => [status, step])).toEqual([
      ['recycled', 10],
      ['recycled', 10],
    ]);
  });

  test('is told to be impossible where nobody starts processes; the last checkpoint ends the training, not the process', async () => {
    const alone = setUp({ options: { ...options, ...recycle } });
    expect((await alone.trainer.fit()).status).toBe('completed');
    expect(alone.recording.texts()).toContainEqual(expect.stringMatching(/nobody would start a new process/));
    const short = setUp({
      options: { ...options, ...recycle, epochs: 1, save_every_n_steps: null },
      environment: { canRecycle: true },
    });
    grow(short);
    expect((await short.trainer.fit()).status).toBe('completed');
  });
});

test.each([
  { id: 'a window of 0', leak_guard: { window: 0 }, says: /leak_guard\.window/ },
  { id: 'a negative limit', leak_guard: { max_rss_mb: -1 }, says: /leak_guard\.max_rss_mb/ },
  { id: 'an unknown key', leak_guard: { windwo: 3 } as object, says: /Did you mean 'window'/ },
])('$id is refused', ({ leak_guard, says }) => {
  expect(() => setUp({ options: { leak_guard } })).toThrow(says);
});
