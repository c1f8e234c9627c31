import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { memoryCollectives, type RegressionTrainer, setUp } from './support.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** A trainer with a hook replaced by one that no type check saw. */
function wrongHook(hook: string, work: (trainer: RegressionTrainer) => unknown) {
  const built = setUp({ options: { epochs: 1 } });
  Object.defineProperty(built.trainer, hook, { value: () => work(built.trainer) });
  return built;
}

describe('what a hook gives or throws that makes no sense is told in words', () => {
  test.each([
    {
      id: 'no metrics',
      hook: 'get_val_metrics',
      work: () => undefined,
      says: /get_val_metrics: metrics are an object/,
    },
    { id: 'one number for metrics', hook: 'get_val_metrics', work: () => 3, says: /such as \{loss: 0\.5\}, not 3\./ },
    { id: 'a list of metrics', hook: 'get_val_metrics', work: () => [1], says: /not a list/ },
    {
      id: 'text as a metric',
      hook: 'get_val_metrics',
      work: () => ({ loss: 'low' }),
      says: /get_val_metrics failed \(rank 0, epoch 0, step 4\): .* 'loss' must be a number or a tensor, not the text 'low'/,
    },
    {
      id: 'a disposed metric',
      hook: 'get_val_metrics',
      work: () => {
        const loss = tf.scalar(1);
        loss.dispose();
        return { loss };
      },
      says: /'loss' is a tensor that was disposed/,
    },
    {
      id: 'text to log',
      hook: 'on_train_start',
      work: (trainer: RegressionTrainer) => Reflect.apply(trainer.log, trainer, [{ note: 'hi' }]),
      says: /on_train_start failed .*: log: the metric 'note' must be a number or a tensor/,
    },
    {
      id: 'a lone tensor to accumulate',
      hook: 'validation_step',
      work: (trainer: RegressionTrainer) => Reflect.apply(trainer.accumulate, trainer, [tf.scalar(1)]),
      says: /accumulate: metrics are an object with their names.*not a tensor/,
    },
    {
      id: 'an object thrown',
      hook: 'on_train_start',
      work: () => {
        throw { reason: 1 };
      },
      says: /on_train_start failed .*: it threw \{ reason: 1 \}/,
    },
    {
      id: 'nothing thrown',
      hook: 'on_train_epoch_end',
      work: () => {
        throw undefined;
      },
      says: /: it threw undefined/,
    },
  ])('$id', async ({ hook, work, says }) => {
    await expect(wrongHook(hook, work).trainer.fit()).rejects.toThrow(says);
  });

  test.each([
    {
      id: 'a loss of numbers alone',
      work: () => tf.scalar(1),
      says: /The loss depends on no trainable parameter of the model/,
    },
    {
      id: 'a loss that is gone',
      work: (trainer: RegressionTrainer) => {
        const loss = trainer.model.call(tf.ones([1, 3])).mean();
        loss.dispose();
        return loss;
      },
      says: /training_step gave a loss that it had disposed/,
    },
  ])('$id', async ({ work, says }) => {
    await expect(wrongHook('training_step', work).trainer.fit()).rejects.toMatchObject({
      code: 'trainer.loss',
      message: expect.stringMatching(says),
    });
  });

  test('a model with nothing to train', async () => {
    const { trainer } = setUp({ options: { epochs: 1 } });
    trainer.model.requiresGrad(false);
    await expect(trainer.fit()).rejects.toThrow(/no trainable parameter: there is nothing to train/);
  });

  test('weights that are freed too late to be trained are told, once', async () => {
    const { trainer, recording } = setUp({ options: { epochs: 2 } });
    Object.defineProperty(trainer, 'on_train_epoch_start', { value: () => void trainer.model.requiresGrad(true) });
    for (const { variable } of trainer.model.namedParameters().slice(1)) variable.trainable = false;
    await trainer.fit();
    expect(recording.texts().filter((text) => text.includes('still not trained'))).toHaveLength(1);
  });
});

describe('checkpoint_objects whose state no checkpoint would give back end the training before its first step', () => {
  class Counter {
    readonly #state: unknown;
    constructor(state: unknown) {
      this.#state = state;
    }
    state_dict(): unknown {
      return this.#state;
    }
    readonly load_state_dict = (): void => undefined;
  }
  const circle: Record<string, unknown> = {};
  circle.again = { circle };

  const refused: readonly { id: string; objects: unknown; says: RegExp }[] = [
    { id: 'no list', objects: { state: 1 }, says: /checkpoint_objects must be a list/ },
    {
      id: 'half an object',
      objects: [{ state_dict: () => 1 }],
      says: /checkpoint_objects\[0\] needs both state_dict\(\)/,
    },
    {
      id: 'a promise',
      objects: [new Counter(Promise.resolve(1))],
      says: /\[0\] \(Counter\): state_dict is asynchronous/,
    },
    { id: 'a tensor', objects: [new Counter({ seen: tf.scalar(1) })], says: /field 'seen' is an instance of Tensor/ },
    { id: 'a map', objects: [new Counter([new Map()])], says: /field '0' is an instance of Map/ },
    { id: 'a function', objects: [new Counter({ a: { b: () => 1 } })], says: /field 'a\.b' is a function/ },
    { id: 'a big number', objects: [new Counter(10n)], says: /its value is a bigint/ },
    {
      id: 'a circle',
      objects: [new Counter(circle)],
      says: /field 'again\.circle' is an object that lies within itself/,
    },
    { id: 'float32', objects: [new Counter(new Float32Array(2))], says: /instance of Float32Array.* Float64Array/ },
    {
      id: 'a state_dict that fails',
      objects: [{ state_dict: () => JSON.parse('{'), load_state_dict: () => undefined }],
      says: /state_dict of checkpoint_objects\[0\] failed: Expected property/,
    },
  ];

  test.each(refused)('$id', async ({ objects, says }) => {
    const { trainer, files } = setUp();
    Object.defineProperty(trainer, 'checkpoint_objects', { value: objects });
    await expect(trainer.fit()).rejects.toMatchObject({
      code: 'trainer.checkpoint-objects',
      message: expect.stringMatching(says),
    });
    expect(trainer.step).toBe(0);
    expect(files.names).toEqual([]);
  });

  test('on one rank end that rank with its reason', async () => {
    const collectives = memoryCollectives(2);
    const ranks = collectives.map((collective) => setUp({ environment: { collective } }).trainer);
    let isBroken = false;
    const fickle = {
      state_dict: () => {
        if (isBroken) throw new RangeError('lost it');
        return 1;
      },
      load_state_dict: () => undefined,
    };
    Object.defineProperty(ranks[1], 'checkpoint_objects', { value: [fickle] });
    const breakIt = () => {
      isBroken = true;
    };
    Object.assign(ranks[1] ?? {}, { on_validation_start: breakIt });
    // found when it is saved: ranks tell each other instead of drifting apart
    const results = await Promise.allSettled(ranks.map((trainer) => trainer.fit()));
    expect(results.map((result) => (result.status === 'rejected' ? String(result.reason.message) : 'done'))).toEqual([
      expect.stringMatching(
        /last checkpoint is missing: Rank 1: state_dict of checkpoint_objects\[0\] failed: lost it/,
      ),
      expect.stringMatching(/last checkpoint is missing: state_dict of checkpoint_objects\[0\] failed: lost it/),
    ]);
  });

  test('and one that cannot be loaded is named', async () => {
    const first = setUp();
    Object.defineProperty(first.trainer, 'checkpoint_objects', { value: [new Counter({ best: -Infinity })] });
    await first.trainer.fit();
    const loaded: unknown[] = [];
    const holder = {
      state_dict: () => 1,
      load_state_dict: async (state: unknown) => {
        loaded.push(state);
        throw new TypeError('made by another version');
      },
    };
    const environment = { resumeFrom: '/run/checkpoints/epoch_2' };
    const { trainer } = setUp({ files: first.files, environment });
    Object.defineProperty(trainer, 'checkpoint_objects', { value: [holder] });
    await expect(trainer.fit()).rejects.toThrow(
      'load_state_dict of checkpoint_objects[0] failed: made by another version',
    );
    expect(loaded).toEqual([{ best: Number.NEGATIVE_INFINITY }]);
  });
});

test.each([
  { key: 'checkpoint_dir', value: '', says: /'checkpoint_dir' must be a path/ },
  { key: 'checkpoint_dir', value: 3, says: /'checkpoint_dir' must be a path, or null; it is 3/ },
  { key: 'resume_from_checkpoint', value: true, says: /'resume_from_checkpoint' must be a path/ },
  { key: 'auto_reusme_from_latest_ckpt', value: 'false', says: /must be true or false; it is "false"/ },
  { key: 'even_batches', value: 'false', says: /'even_batches' must be true or false/ },
  { key: 'metric_monitor', value: { metric_name: 'loss' }, says: /_target_: accelhydra\.trainer\.MetricMonitor/ },
  { key: 'logging_config', value: 'tensorboard', says: /_target_: accelhydra\.trainer\.LoggingConfig/ },
  { key: 'max_grad_norm', value: [1], says: /'max_grad_norm' must be above zero.* it is \[1\]/ },
  { key: 'epochs', value: Number.POSITIVE_INFINITY, says: /'epochs' must be a whole number.* it is Infinity/ },
  { key: 'optimizer', value: { lr: 0.1 }, says: /'optimizer' must be an optimizer.*a plain object \(has the section/ },
  { key: 'lr_scheduler', value: new Map(), says: /'lr_scheduler' must be a schedule.*an object of class Map/ },
])('the trainer refuses $key: $value', ({ key, value, says }) => {
  expect(() => setUp({ options: { [key]: value } })).toThrow(says);
});
