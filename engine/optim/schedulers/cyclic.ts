import { z } from 'zod';
import { parseOptions } from '../options.ts';
import { LRScheduler, perGroup, requireMomentum, type SchedulableOptimizer, setMomentum } from './scheduler.ts';
import { lastEpoch, numberPerGroup, positiveInteger } from './schemas.ts';

const schema = z.object({
  base_lr: numberPerGroup.describe('lowest rate'),
  max_lr: numberPerGroup.describe('highest rate of the first cycle'),
  step_size_up: positiveInteger.default(2000).describe('steps of the rising half'),
  step_size_down: positiveInteger.nullish().describe('steps of the falling half; as many as rising by default'),
  mode: z.enum(['triangular', 'triangular2', 'exp_range']).default('triangular'),
  gamma: z.number().default(1).describe('factor per step in mode exp_range'),
  scale_fn: z
    .custom<(x: number) => number>((value) => typeof value === 'function')
    .nullish()
    .describe("height of the cycle from the cycle's or the step's number, instead of mode"),
  scale_mode: z.enum(['cycle', 'iterations']).default('cycle').describe('what scale_fn gets'),
  cycle_momentum: z.boolean().default(true).describe('move momentum against the rate'),
  base_momentum: numberPerGroup.default(0.8).describe('lowest momentum'),
  max_momentum: numberPerGroup.default(0.9).describe('highest momentum'),
  last_epoch: lastEpoch,
});

const target = 'accelhydra.lr_scheduler.CyclicLR';

/** Lets the rate go up and down between `base_lr` and `max_lr` again and again (Smith, 2017). */
export class CyclicLR extends LRScheduler {
  static readonly optionsSchema = schema;
  readonly #options: z.output<typeof schema>;
  readonly #highest: readonly number[];
  readonly #lowest: readonly number[];

  constructor(optimizer: SchedulableOptimizer, options: z.input<typeof schema>) {
    const parsed = parseOptions(schema, options, target);
    const lowest = perGroup(optimizer, parsed.base_lr, 'base_lr', target);
    if (parsed.cycle_momentum) requireMomentum(optimizer, target);
    if (parsed.last_epoch === -1) {
      const base = perGroup(optimizer, parsed.base_momentum, 'base_momentum', target);
      const max = perGroup(optimizer, parsed.max_momentum, 'max_momentum', target);
      for (const [index, group] of optimizer.paramGroups.entries()) {
        group.lr = lowest[index] ?? group.lr;
        if (!parsed.cycle_momentum) continue;
        group.base_momentum = base[index] ?? 0;
        group.max_momentum = max[index] ?? 0;
        setMomentum(group, group.max_momentum);
      }
    }
    super(optimizer, parsed.last_epoch, target);
    this.#options = parsed;
    this.#lowest = lowest;
    this.#highest = perGroup(optimizer, parsed.max_lr, 'max_lr', target);
    this.baseLrs = lowest;
    this.start();
  }

  protected override rates(): readonly number[] {
    const up = this.#options.step_size_up;
    const total = up + (this.#options.step_size_down ?? up);
    const share = up / total;
    const cycle = Math.floor(1 + this.lastEpoch / total);
    const position = 1 + this.lastEpoch / total - cycle;
    const height = position <= share ? position / share : (position - 1) / (share - 1);
    const scale = this.#scale(cycle);
    if (this.#options.cycle_momentum) {
      for (const group of this.optimizer.paramGroups) {
        const max = group.max_momentum ?? 0;
        setMomentum(group, max - (max - (group.base_momentum ?? 0)) * height * scale);
      }
    }
    return this.#lowest.map((low, index) => low + ((this.#highest[index] ?? low) - low) * height * scale);
  }

  #scale(cycle: number): number {
    const { mode, gamma, scale_fn: custom, scale_mode: by } = this.#options;
    if (custom) return custom(by === 'cycle' ? cycle : this.lastEpoch);
    if (mode === 'triangular') return 1;
    return mode === 'triangular2' ? 1 / 2 ** (cycle - 1) : gamma ** this.lastEpoch;
  }
}
