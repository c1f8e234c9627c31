import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { changesOutside } from '../../../engine/trainer/compile/changesOutside.ts';

let count = 0;
let last: unknown;
const seen: number[] = [];
const totals: Record<string, number> = {};

class Steps {
  own = 0;
  list: number[] = [];

  counts(): number {
    return count++;
  }
  keeps(batch: unknown): void {
    last = batch;
  }
  async pushes(): Promise<void> {
    seen.push(await Promise.resolve(1));
  }
  sums(name: string): void {
    totals[name] = (totals[name] ?? 0) + 1;
  }
  parts(pair: [number, unknown]): void {
    [, last] = pair;
  }
  inner(): void {
    [1].forEach(() => {
      count += 1;
    });
  }
  marks(): void {
    Reflect.set(totals, 'last', 1);
  }
  tensors(a: tf.Tensor): tf.Tensor {
    return tf.reverse(tf.add(a, tf.fill([2], seen.length)));
  }
  fields(): void {
    this.own++;
    this.list.push(this.own);
  }
  locals({ x: [first = 0], ...rest }: { x: number[]; y?: number }): number {
    let sum = first;
    const found = [sum];
    for (const item of found) sum += item;
    found.push(sum);
    rest.y = sum;
    try {
      [sum] = found as [number];
    } catch (error) {
      Reflect.set(Object(error), 'cause', last);
    }
    return sum + seen.length;
  }
}

test('what a step changes outside itself is seen in its text; its fields and its own variables are none of that', () => {
  const steps = new Steps();
  expect(changesOutside(steps.counts)).toBe('count');
  expect(changesOutside(steps.keeps)).toBe('last');
  expect(changesOutside(steps.pushes)).toBe('seen');
  expect(changesOutside(steps.sums)).toBe('totals');
  expect(changesOutside(steps.parts)).toBe('last');
  expect(changesOutside(steps.inner)).toBe('count');
  expect(changesOutside(steps.marks)).toBe('totals');
  expect(changesOutside(steps.tensors)).toBeUndefined();
  expect(changesOutside(steps.fields)).toBeUndefined();
  expect(changesOutside(() => count++)).toBe('count');
  expect(changesOutside(Math.max)).toBeUndefined();
  expect(changesOutside(steps.locals)).toBeUndefined();
});
