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
      return Array.from({ length: size }, (_, i) => order[start + i] ?? 0);
    },
  };
}

export function listPlan(batches: readonly (readonly number[])[]): BatchPlan {
  return { length: batches.length, at: (index) => batches[index] ?? [] };
}
