import type { Worker } from 'node:worker_threads';

const alive = new Set<Worker>();
let started = 0;
process.on('worker', (worker: Worker) => {
  started++;
  alive.add(worker);
  worker.once('exit', () => alive.delete(worker));
});

/** Worker threads of this process, since this module was loaded. */
export const threads = {
  get alive(): number {
    return alive.size;
  },
  get started(): number {
    return started;
  },
};
