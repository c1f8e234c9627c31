import { enableCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { WorkerSetup } from './protocol.ts';
import { registerStandIns } from './standIns.ts';

// A worker thread of the DataLoader. Only what these imports need is loaded before the stand-ins are in place.
const setup = workerData as WorkerSetup;
if (setup.compileCache !== undefined) enableCompileCache(setup.compileCache);
registerStandIns(setup.names);

const { serveBatches } = await import('./serveBatches.ts');
if (parentPort !== null) await serveBatches(setup, parentPort);
