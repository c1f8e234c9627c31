import type * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../../api/errors.ts';
import { isPlainObject } from '../../../data/collate/collate.ts';
import { Module } from '../module.ts';

export interface SequentialOptions {
  readonly modules: readonly Module[];
}

/** Modules one after the other: `new Sequential(a, b)` or, from YAML, `_args_` or `modules: [a, b]`. */
export class Sequential extends Module {
  readonly modules: readonly Module[];

  constructor(...modules: readonly (Module | SequentialOptions)[]) {
    super();
    this.modules = modules.flatMap((item, i) => {
      if (item instanceof Module) return [item];
      if (isPlainObject(item) && Array.isArray(item.modules))
        return item.modules.map((inner, j) => check(inner, `modules[${j}]`));
      if (isPlainObject(item) && Object.keys(item).length === 0) return [];
      return [check(item, String(i))];
    });
  }

  call(input: tf.Tensor): tf.Tensor {
    return this.modules.reduce((value, module) => module.call(value), input);
  }
}

function check(value: unknown, place: string): Module {
  if (value instanceof Module) return value;
  throw new EngineError('model.sequential', `Sequential: entry ${place} is no Module.`, { place });
}
