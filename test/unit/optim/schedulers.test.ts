import { expect, test } from 'vitest';
import { EngineError } from '../../../engine/api/errors.ts';
import { parseExact, stringifyExact } from '../../../engine/base/exactJson.ts';
import {
  builtinOptim,
  ChainedScheduler,
  GreedyLR,
  getScheduler,
  LambdaLR,
  type LearningRateScheduler,
  LRScheduler,
  MultiplicativeLR,
  OneCycleLR,
  ReduceLROnPlateau,
  SequentialLR,
} from '../../../engine/optim/index.ts';
import type { ParameterGroup } from '../../../engine/optim/parameter.ts';
import { scheduleNames } from '../../../engine/optim/schedulers/getScheduler.ts';
import { numericLrSchedulers } from '../../conformance/families/numericLrSchedulers.ts';
import { firstDifference } from '../../conformance/families/numericValues.ts';
import greedy from '../../fixtures/numeric/greedy_schedules.json' with { type: 'json' };
import { numericCases } from '../../support/numeric.ts';

interface SchedulerCase {
  readonly id: string;
  readonly source: string;
  readonly name: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly base_lr: number;
  readonly lrs: readonly number[];
  readonly metrics?: readonly number[];
}

interface TestOptimizer {
  readonly paramGroups: ParameterGroup[];
}

function optimizerOf(lr: number, group: Partial<ParameterGroup> = { momentum: 0.9 }): TestOptimizer {
  return { paramGroups: [{ params: [], lr, ...group }] };
}

function make(name: string, optimizer: TestOptimizer, options: unknown): LRScheduler {
  const found = builtinOptim[`torch.optim.lr_scheduler.${name}`];
  if (typeof found !== 'function') throw new Error(`no ${name}`);
  const made: unknown = Reflect.construct(found, [optimizer, options]);
  if (!(made instanceof LRScheduler)) throw new Error(`${name} is no scheduler`);
  return made;
}

function ratesOf(optimizer: TestOptimizer, scheduler: LearningRateScheduler, count: number): number[] {
  return Array.from({ length: count }, (_, step) => {
    if (step > 0) scheduler.step();
    return optimizer.paramGroups[0]?.lr ?? Number.NaN;
  });
}

function failureOf(action: () => unknown): EngineError {
  try {
    action();
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error('It should have failed.');
}

test.each(numericCases<SchedulerCase>('lr_schedulers.json'))('$name $params gives the recorded rates', (vector) => {
  expect(numericLrSchedulers.run(vector)).toBeUndefined();
});

test('a wrong rate would be noticed', () => {
  const [vector] = numericCases<SchedulerCase>('lr_schedulers.json');
  if (!vector) throw new Error('fixture');
  const lrs = vector.lrs.map((rate, step) => (step === 4 ? rate * (1 + 1e-8) : rate));
  expect(numericLrSchedulers.run({ ...vector, lrs })).toMatch(/value 4/);
});

test.each(
  numericCases<{
    id: string;
    kind: 'SequentialLR' | 'ChainedScheduler';
    parts: [string, object][];
    milestones?: number[];
    base_lr: number;
    lrs: number[];
  }>('composite_schedulers.json'),
)('$kind of $parts gives the recorded rates', ({ kind, parts, milestones = [], base_lr: base, lrs }) => {
  const optimizer = optimizerOf(base);
  const schedulers = parts.map(([name, options]) => make(name, optimizer, options));
  const scheduler =
    kind === 'SequentialLR'
      ? new SequentialLR(optimizer, { schedulers, milestones })
      : new ChainedScheduler(optimizer, { schedulers });
  expect(firstDifference(ratesOf(optimizer, scheduler, lrs.length), lrs, 1e-9, 1e-18)).toBeUndefined();
});

test.each(
  numericCases<{ id: string; name: string; params: object; kind: 'SGD' | 'Adam'; momentums: number[] }>(
    'cycled_momentum.json',
  ),
)('$name moves the momentum of $kind as recorded', ({ name, params, kind, momentums }) => {
  const optimizer = optimizerOf(0.1, kind === 'SGD' ? { momentum: 0.9 } : { betas: [0.9, 0.999] });
  const scheduler = make(name, optimizer, params);
  const found = momentums.map((_, step) => {
    if (step > 0) scheduler.step();
    const [group] = optimizer.paramGroups;
    return (kind === 'SGD' ? group?.momentum : group?.betas?.[0]) ?? Number.NaN;
  });
  expect(firstDifference(found, momentums, 1e-9)).toBeUndefined();
  if (kind === 'Adam') expect(optimizer.paramGroups[0]?.betas?.[1]).toBe(0.999);
});

test.each(numericCases<SchedulerCase>('lr_schedulers.json').filter(({ source }) => !source.includes('get_scheduler')))(
  '$name $params goes on from its saved state',
  ({ name, params, base_lr: base, lrs, metrics }) => {
    const build = (optimizer: TestOptimizer): LearningRateScheduler =>
      name === 'ReduceLROnPlateau' ? new ReduceLROnPlateau(optimizer, params) : make(name, optimizer, params);
    const before = optimizerOf(base);
    const first = build(before);
    const half = Math.floor(lrs.length / 2);
    for (let step = 0; step < half; step++) first.step(metrics?.[step]);
    const after = optimizerOf(base);
    const second = build(after);
    const state = parseExact(stringifyExact({ groups: before.paramGroups, scheduler: first.stateDict() }));
    const { groups, scheduler } = state as { groups: ParameterGroup[]; scheduler: Record<string, unknown> };
    Object.assign(after.paramGroups[0] ?? {}, groups[0]);
    second.loadStateDict(scheduler);
    expect(second.getLastLr()).toEqual(first.getLastLr());
    for (let step = half; step < lrs.length - 1; step++) {
      first.step(metrics?.[step]);
      second.step(metrics?.[step]);
      expect(after.paramGroups[0]?.lr).toBe(before.paramGroups[0]?.lr);
    }
  },
);

test.each(greedy.cases.map((one, index) => ({ ...one, id: `${index} ${JSON.stringify(one.options)}` })))(
  "transformers' greedy gives its rates, across a save too: $id",
  ({ lrs, options, metrics, rates }) => {
    const groups = (): TestOptimizer => ({ paramGroups: lrs.map((lr) => ({ params: [], lr })) });
    let optimizer = groups();
    let scheduler = getScheduler(optimizer, { name: 'greedy', ...options });
    for (const [step, metric] of metrics.entries()) {
      if (step === 17) {
        const state = parseExact(stringifyExact(scheduler.stateDict())) as Record<string, unknown>;
        optimizer = groups();
        scheduler = getScheduler(optimizer, { name: 'greedy', scheduler_specific_kwargs: options });
        scheduler.loadStateDict(state);
      }
      scheduler.step(metric);
      expect(scheduler.getLastLr()).toEqual(rates[step]);
    }
    expect(scheduler).toBeInstanceOf(GreedyLR);
    expect(() => scheduler.step()).toThrow(/GreedyLR needs a metric at every step/);
  },
);

test("the names are those of transformers' SchedulerType", () => {
  expect([...scheduleNames].sort()).toEqual(
    // transformers 5.18.0, trainer_utils.SchedulerType
    'constant constant_with_warmup cosine cosine_warmup_with_min_lr cosine_with_min_lr cosine_with_restarts greedy inverse_sqrt linear polynomial reduce_lr_on_plateau warmup_stable_decay'.split(
      ' ',
    ),
  );
});

test('LambdaLR takes a function, or one for each group', () => {
  const optimizer: TestOptimizer = {
    paramGroups: [
      { params: [], lr: 1 },
      { params: [], lr: 10 },
    ],
  };
  const scheduler = new LambdaLR(optimizer, { lr_lambda: [(step) => 0.5 ** step, (step) => step + 1] });
  scheduler.step();
  scheduler.step();
  expect(scheduler.getLastLr()).toEqual([0.25, 30]);
});

test('MultiplicativeLR multiplies the rate in force', () => {
  const optimizer = optimizerOf(8);
  const scheduler = new MultiplicativeLR(optimizer, { lr_lambda: () => 0.5 });
  expect(ratesOf(optimizer, scheduler, 4)).toEqual([8, 4, 2, 1]);
});

test('parts of a sequence may be factories, as _partial_ entries of a config are', () => {
  const optimizer = optimizerOf(1);
  const scheduler = new SequentialLR(optimizer, {
    schedulers: [(at) => new LambdaLR(at, { lr_lambda: () => 0.1 }), (at) => new LambdaLR(at, { lr_lambda: () => 1 })],
    milestones: [2],
  });
  expect(ratesOf(optimizer, scheduler, 4)).toEqual([0.1, 0.1, 1, 1]);
});

test('options of a named schedule may stand beside the name', () => {
  const optimizer = optimizerOf(1);
  const options = { name: 'polynomial', num_warmup_steps: 0, num_training_steps: 4, lr_end: 0.5 };
  expect(ratesOf(optimizer, getScheduler(optimizer, options), 6)).toEqual([1, 0.875, 0.75, 0.625, 0.5, 0.5]);
});

test.each([
  {
    id: 'an unknown schedule',
    make: () => getScheduler(optimizerOf(1), { name: 'cosin' }),
    code: 'optim.scheduler.unknown-name',
    message: /Did you mean 'cosine'/,
  },
  {
    id: 'a schedule without its length',
    make: () => getScheduler(optimizerOf(1), { name: 'linear', num_warmup_steps: 1 }),
    code: 'optim.option.invalid',
    message: /num_training_steps/,
  },
  {
    id: 'an option that the schedule does not take',
    make: () => getScheduler(optimizerOf(1), { name: 'linear', num_warmup_steps: 1, num_training_steps: 2, power: 2 }),
    code: 'optim.option.unknown',
    message: /'linear' has no option 'power'/,
  },
  {
    id: 'a cycle without a length',
    make: () => new OneCycleLR(optimizerOf(1), { max_lr: 1, epochs: 3 }),
    code: 'optim.option.invalid',
    message: /total_steps, or both epochs and steps_per_epoch/,
  },
  {
    id: 'cycling the momentum of an optimizer that has none',
    make: () => new OneCycleLR(optimizerOf(1, {}), { max_lr: 1, total_steps: 3 }),
    code: 'optim.option.invalid',
    message: /cycle_momentum: false/,
  },
  {
    id: 'stepping beyond the cycle',
    make: () => ratesOf(optimizerOf(1), new OneCycleLR(optimizerOf(1), { max_lr: 1, total_steps: 3 }), 6),
    code: 'optim.scheduler.exhausted',
    message: /3 steps/,
  },
  {
    id: 'a plateau without metric',
    make: () => new ReduceLROnPlateau(optimizerOf(1)).step(),
    code: 'optim.scheduler.no-metric',
    message: /needs a metric/,
  },
  {
    id: 'a scheduler without optimizer',
    make: () => Reflect.construct(LambdaLR, [{ lr_lambda: () => 1 }, { lr_lambda: () => 1 }]),
    code: 'optim.scheduler.no-optimizer',
    message: /first argument/,
  },
  {
    id: "another scheduler's state",
    make: () => new LambdaLR(optimizerOf(1), { lr_lambda: () => 1 }).loadStateDict({ best: 1 }),
    code: 'optim.scheduler.state',
    message: /last_epoch/,
  },
  {
    id: 'a sequence with too few milestones',
    make: () => {
      const optimizer = optimizerOf(1);
      const part = () => new LambdaLR(optimizer, { lr_lambda: () => 1 });
      return new SequentialLR(optimizer, { schedulers: [part(), part()], milestones: [] });
    },
    code: 'optim.option.invalid',
    message: /2 schedulers need 1 milestones/,
  },
])('$id is refused', ({ make: action, code, message }) => {
  const error = failureOf(action);
  expect(error.code).toBe(code);
  expect(error.message).toMatch(message);
});
