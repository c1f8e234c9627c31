import os from 'node:os';
import { fileURLToPath } from 'node:url';
import type { DoctorCheck, DoctorReport } from '../api/machine.ts';
import { askProgram } from './askProgram.ts';
import { checkBrowser, checkElectron, checkGpu, checkNode, checkSqlite, checkTensorflow } from './checks.ts';
import { describeCpu, listDevices } from './devices.ts';
import { findNvidiaGpus } from './nvidia.ts';
import type { ProbeResult } from './probe.ts';
import { readSetup } from './setupRecord.ts';
import { type BackendName, backendNames } from './types.ts';

const probeTimeoutMs = 60_000;

/**
 * Looks at everything that decides how trainings run here: what was found, what is used and why, how to get better. Each
 * tensor backend is tried for real in a process of its own, so this takes a second or two.
 */
export async function inspectMachine(): Promise<DoctorReport> {
  const setup = readSetup();
  const [nvidia, devices, ...probes] = await Promise.all([
    findNvidiaGpus(),
    listDevices(),
    ...backendNames.map((name) => probe(name, setup?.node.path)),
  ]);
  const results = new Map(backendNames.map((name, index) => [name, probes[index] ?? notProbed]));
  const result = (name: BackendName): ProbeResult => results.get(name) ?? notProbed;
  const used = backendNames.find((name) => result(name).works) ?? 'cpu';
  const cpu = describeCpu();
  return {
    platform: `${os.type()} ${os.release()} ${os.arch()}, ${cpu.cores} cores, ${Math.round((cpu.memoryTotal ?? 0) / 2 ** 30)} GiB`,
    backend: { name: used, ...describe(result(used)) },
    checks: [
      checkNode(setup),
      checkTensorflow(result('tensorflow'), setup, nvidia.gpus.length > 0),
      checkGpu(nvidia, setup),
      checkOther('webgpu', result('webgpu'), used, webgpuAdvice),
      checkOther('wasm', result('wasm'), used, undefined),
      checkSqlite(setup),
      checkElectron(setup),
      checkBrowser(),
    ],
    devices: [...devices],
  };
}

const webgpuAdvice =
  'Useful for GPUs that TensorFlow cannot drive: install the Vulkan driver of your GPU (Debian: mesa-vulkan-drivers).';
const notProbed: ProbeResult = { works: false, reason: 'it was not tried' };

async function probe(name: BackendName, node: string | undefined): Promise<ProbeResult> {
  const script = fileURLToPath(new URL('./probeMain.ts', import.meta.url));
  // Under Electron this process is no plain Node; set-up remembers one that is.
  const program = process.versions.electron === undefined ? process.execPath : (node ?? process.execPath);
  const environment = { ELECTRON_RUN_AS_NODE: '1' };
  const answer = await askProgram(program, [script, name], { timeoutMs: probeTimeoutMs, environment });
  const line = answer.output.trim().split('\n').at(-1);
  if (line?.startsWith('{')) return JSON.parse(line) as ProbeResult;
  return { works: false, reason: answer.problem || 'its probe ended without an answer' };
}

function describe(result: ProbeResult): { description: string; gpu: boolean } {
  return result.works
    ? { description: result.description, gpu: result.gpu }
    : { description: result.reason, gpu: false };
}

function checkOther(
  name: BackendName,
  result: ProbeResult,
  used: BackendName,
  advice: string | undefined,
): DoctorCheck {
  if (!result.works) return { name, status: 'missing', found: result.reason, ...(advice ? { advice } : {}) };
  const rank = backendNames.indexOf(name) - backendNames.indexOf(used);
  const reason = rank === 0 ? 'used: the best that works here' : `not used: ${used} is faster and works here`;
  return { name, status: 'ok', found: result.description, reason };
}
