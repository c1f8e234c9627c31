import type { DoctorCheck } from '../api/machine.ts';
import { findProgram } from './askProgram.ts';
import type { NvidiaGpu } from './nvidia.ts';
import type { ProbeResult } from './probe.ts';
import type { SetupRecord } from './setupRecord.ts';
import type { BackendName } from './types.ts';

const again = '`npm run setup -- --again`';

export function checkNode(setup: SetupRecord | undefined): DoctorCheck {
  const found = `${process.version}${process.versions.electron ? ` in Electron ${process.versions.electron}` : ''}`;
  if (setup === undefined) {
    return {
      name: 'node',
      status: 'warning',
      found,
      reason: 'set-up has not run here',
      advice: 'Run `npm run setup`.',
    };
  }
  const reason =
    setup.node.source === 'npm'
      ? 'fetched into .runtime/node, the one on PATH is too old'
      : 'the one on PATH is new enough';
  return { name: 'node', status: 'ok', found, reason };
}

export function checkTensorflow(result: ProbeResult, setup: SetupRecord | undefined, hasGpu: boolean): DoctorCheck {
  const name = 'tensorflow';
  const recorded = setup?.tensorflow;
  if (!result.works) {
    return {
      name,
      status: recorded === undefined || recorded.source === 'none' ? 'missing' : 'error',
      found: result.reason,
      advice: `Trainings are many times faster with it. Install TensorFlow in your Python, or see to it that pip reaches an index and g++ is there; then ${again}.`,
    };
  }
  const source = recorded?.from === undefined ? '' : `, from ${recorded.from}`;
  const found = `${result.description}${source}`;
  const reason = `used: native TensorFlow comes first${recorded?.reason ? ` (${recorded.reason})` : ''}`;
  if (hasGpu && !result.gpu) {
    const advice = `It does not use your GPU. \`ACCELHYDRA_TENSORFLOW=wheel npm run setup -- --again\` installs a CUDA build.`;
    return { name, status: 'warning', found, reason, advice };
  }
  return { name, status: 'ok', found, reason };
}

/**
 * The TensorFlow operations that set-up builds. Never more than a warning: without them all the same is computed.
 * @param gpu whether TensorFlow computes on one, which they are not for
 */
export function checkKernels(setup: SetupRecord | undefined, gpu: boolean): DoctorCheck {
  const name = 'kernels';
  const kernels = setup?.tensorflow.kernels;
  if (kernels?.built) {
    const found = `built for TensorFlow ${kernels.version}`;
    if (process.env.ACCELHYDRA_KERNELS === 'plain')
      return { name, status: 'ok', found, reason: 'not used: ACCELHYDRA_KERNELS=plain' };
    return {
      name,
      status: 'ok',
      found,
      reason: gpu ? 'used where a training takes the CPU' : 'used: faster on the CPU',
    };
  }
  const found = kernels === undefined ? 'not built yet' : `none: ${kernels.reason}`;
  if (gpu) return { name, status: 'ok', found, reason: 'a GPU has no use for them' };
  const reason = "TensorFlow's own do the same work in more steps";
  const advice =
    kernels === undefined
      ? 'Run `npm run setup`.'
      : `They take g++ and a TensorFlow that comes with C++ headers, as pip's do; then ${again}.`;
  return { name, status: 'warning', found, reason, advice };
}

/** @param used the backend that a training takes; `gpu`: whether it computes on one */
export function checkGpu(
  nvidia: { readonly gpus: readonly NvidiaGpu[]; readonly problem?: string },
  used: { readonly name: BackendName; readonly gpu: boolean },
): DoctorCheck {
  const name = 'gpu';
  const [first] = nvidia.gpus;
  if (first === undefined) return { name, status: 'missing', found: nvidia.problem ?? 'no NVIDIA GPU' };
  const found = `${nvidia.gpus.map((gpu) => gpu.name).join(', ')}${first.driver ? `, driver ${first.driver}` : ''}`;
  if (used.gpu && used.name === 'tensorflow') return { name, status: 'ok', found, reason: 'used by TensorFlow' };
  if (used.gpu)
    return { name, status: 'ok', found, reason: 'used through WebGPU; TensorFlow with CUDA would be faster' };
  return { name, status: 'warning', found, reason: `not used: ${used.name} computes on the CPU` };
}

export function checkSqlite(setup: SetupRecord | undefined): DoctorCheck {
  const step = setup?.steps.find((candidate) => candidate.name === 'sqlite');
  if (step === undefined)
    return { name: 'sqlite', status: 'warning', found: 'not checked yet', advice: 'Run `npm run setup`.' };
  if (step.outcome === 'failed')
    return { name: 'sqlite', status: 'error', found: step.detail, advice: `Install g++ and make, then ${again}.` };
  return { name: 'sqlite', status: 'ok', found: step.detail, reason: 'keeps the index of the runs' };
}

export function checkElectron(setup: SetupRecord | undefined): DoctorCheck {
  const electron = setup?.electron;
  if (electron?.available)
    return { name: 'electron', status: 'ok', found: 'its binary is there', reason: '`npm start` opens a window' };
  return {
    name: 'electron',
    status: 'missing',
    found: electron?.reason ?? 'its binary was not fetched',
    reason: '`npm start` serves the same app to a browser instead',
  };
}

export function checkBrowser(): DoctorCheck {
  const known = [
    'chromium',
    'chromium-browser',
    'google-chrome',
    'google-chrome-stable',
    'firefox',
    'xdg-open',
    'open',
  ];
  const browser = findProgram(...known);
  if (browser !== undefined) return { name: 'browser', status: 'ok', found: browser };
  return {
    name: 'browser',
    status: 'missing',
    found: 'none on this machine',
    reason: 'open the printed address from another one, through an SSH tunnel',
  };
}
