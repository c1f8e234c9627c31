import type { BatchPlan } from './sampler.ts';

export function batchCount(samples: number, batchSize: number, dropLast: boolean): number {
  return dropLast ? Math.floor(samples / batchSize) : Math.ceil(samples / batchSize);
}

export function cutPlan(order: ArrayLike<number>, batchSize: number, dropLast: boolean): BatchPlan {
  return {
    length: batchCount(order.length, batchSize, dropLast),
    at: (index) => {
      const start = index * batchSize;
      const size = Math.max(0, Math.min(batchSize, order.length - start));
      const indices: number[] = [];
      for (let i = 0; i < size; i++) indices.push(order[start + i] ?? 0);
      return indices;
    },
  };
}

export function listPlan(batches: readonly (readonly number[])[]): BatchPlan {
  return { length: batches.length, at: (index) => batches[index] ?? [] };
}
