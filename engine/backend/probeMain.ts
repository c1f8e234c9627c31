import { probeBackend } from './probe.ts';

// Started by `inspectMachine` as a process of its own: `node probeMain.ts tensorflow`.
const result = await probeBackend(process.argv[2] ?? '');
// WebGPU's library keeps the process alive and may crash while it is torn down; the answer is out by then.
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
