import { z } from 'zod';
import { parseOptions, refuseOptions } from '../options.ts';
import { LRScheduler, type SchedulableOptimizer } from './scheduler.ts';
import { lastEpoch } from './schemas.ts';

/** A factor from the number of steps done. */
export type RateFunction = (step: number) => number;

const rateFunction = z.custom<RateFunction>(
  (value) => typeof value === 'function',
  'it must be a function of the step',
);

const schema = z.object({
  lr_lambda: z.union([rateFunction, z.array(rateFunction)]).describe('factor from the step, or one for each group'),
  last_epoch: lastEpoch,
});

abstract class FunctionLR extends LRScheduler {
  protected readonly functions: readonly RateFunction[];

  constructor(optimizer: SchedulableOptimizer, options: z.input<typeof schema>, target: string) {
    const { lr_lambda: given, last_epoch: last } = parseOptions(schema, options, target);
    super(optimizer, last, target);
    const count = optimizer.paramGroups.length;
    const functions = typeof given === 'function' ? Array.from({ length: count }, () => given) : given;
    if (functions.length !== count) {
      refuseOptions(target, `option 'lr_lambda' has ${functions.length} functions for ${count} parameter groups.`);
    }
    this.functions = functions;
  }
}

/** The base rate times a function of the step. The function itself is not part of the state. */
export class LambdaLR extends FunctionLR {
  static readonly optionsSchema = schema;

  constructor(optimizer: SchedulableOptimizer, options: z.input<typeof schema>) {
    super(optimizer, options, 'accelhydra.lr_scheduler.LambdaLR');
    this.start();
  }

  protected override rates(): readonly number[] {
    return this.functions.map((rate, index) => (this.baseLrs[index] ?? 0) * rate(this.lastEpoch));
  }
}

/** The rate in force times a function of the step, at every step. */
export class MultiplicativeLR extends FunctionLR {
  static readonly optionsSchema = schema;

  constructor(optimizer: SchedulableOptimizer, options: z.input<typeof schema>) {
    super(optimizer, options, 'accelhydra.lr_scheduler.MultiplicativeLR');
    this.start();
  }

  protected override rates(): readonly number[] {
    const current = this.currentRates();
    if (this.isInitial) return current;
    return this.functions.map((rate, index) => (current[index] ?? 0) * rate(this.lastEpoch));
  }
}
