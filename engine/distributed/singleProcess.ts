import type { Collective } from '../api/training.ts';

/** The collective of a run with one process: every operation is done at once and changes nothing. */
export function singleProcessCollective(): Collective {
  return {
    rank: 0,
    worldSize: 1,
    allReduce: () => Promise.resolve(),
    broadcast: () => Promise.resolve(),
    allGather: (value) => Promise.resolve([value]),
    barrier: () => Promise.resolve(),
  };
}
