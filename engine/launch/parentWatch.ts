import { workerData } from 'node:worker_threads';

/**
 * A thread beside the training: when the launcher is gone and the main thread has not ended the process by itself, being
 * stuck in a long call, this does. It touches nothing of TensorFlow.
 */
const parent: number = workerData.parent;
let goneForMs = 0;
const everyMs = 500;

setInterval(() => {
  if (process.ppid === parent) return;
  goneForMs += everyMs;
  if (goneForMs >= 5000) process.kill(process.pid, 'SIGKILL');
}, everyMs);
