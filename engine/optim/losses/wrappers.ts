import * as tf from '@tensorflow/tfjs';
import { z } from 'zod';
import { EngineError } from '../../api/errors.ts';
import { didYouMean } from '../../base/nearest.ts';
import { parseOptions } from '../options.ts';

/** Named losses; `loss` is the one that is minimised. */
export type LossTerms = Readonly<Record<string, tf.Tensor>>;

const sumSchema = z.object({ weights: z.record(z.string(), z.number()).describe('weight of each named loss') });

/** Adds up the named losses that a model returns, each with its weight. */
export class LossSumWrapper {
  static readonly optionsSchema = sumSchema;
  readonly weights: Readonly<Record<string, number>>;

  constructor(options: z.input<typeof sumSchema>) {
    this.weights = parseOptions(sumSchema, options, 'accelhydra.losses.LossSumWrapper').weights;
  }

  /** `{ loss: the weighted sum, … the terms themselves }`. @throws EngineError `loss.weight-missing` | `loss.none` */
  call(terms: LossTerms): LossTerms {
    const weighted = Object.entries(terms).map(([name, term]) => {
      const weight = this.weights[name];
      if (weight !== undefined) return { term, weight };
      const known = Object.keys(this.weights);
      throw new EngineError(
        'loss.weight-missing',
        `LossSumWrapper has no weight for '${name}'.${didYouMean(name, known)} It has: ${known.join(', ')}.`,
        { loss: name, known },
      );
    });
    if (weighted.length === 0) throw new EngineError('loss.none', 'LossSumWrapper got no losses to add up.', {});
    const loss = tf.tidy(() => {
      const parts = weighted.map(({ term, weight }) => tf.mul(term, weight));
      return parts.reduce((sum, part) => tf.add(sum, part));
    });
    return { loss, ...terms };
  }
}

const noOptions = z.object({});

/** Names a single loss `loss`, so that it can stand where a LossSumWrapper could. */
export class IdentityWrapper {
  static readonly optionsSchema = noOptions;

  constructor(options: z.input<typeof noOptions> = {}) {
    parseOptions(noOptions, options, 'accelhydra.losses.IdentityWrapper');
  }

  call(loss: tf.Tensor): LossTerms {
    return { loss };
  }
}
