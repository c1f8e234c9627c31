import { fileURLToPath } from 'node:url';
import { askProgram } from './askProgram.ts';
import type { ProbeResult } from './probe.ts';
import { readSetup } from './setupRecord.ts';
import type { BackendName } from './types.ts';

const timeoutMs = 60_000;

/** Tries one backend for real, in a process of its own. Takes up to a second; never throws. */
export async function askProbe(name: BackendName): Promise<ProbeResult> {
  const script = fileURLToPath(new URL('./probeMain.ts', import.meta.url));
  // Under Electron this process is no plain Node; set-up remembers one that is.
  const recorded = process.versions.electron === undefined ? undefined : readSetup()?.node.path;
  const environment = { ELECTRON_RUN_AS_NODE: '1' };
  const answer = await askProgram(recorded ?? process.execPath, [script, name], { timeoutMs, environment });
  const line = answer.output.trim().split('\n').at(-1);
  if (line?.startsWith('{')) return JSON.parse(line) as ProbeResult;
  return { works: false, reason: answer.problem || 'its probe ended without an answer' };
}
