// Native TensorFlow, from the first place that has it: the user's Python, the download of the binding's own package, a
// wheel of our own. Not having it is no failure: the engine then uses WebGPU, WebAssembly or plain JavaScript.
import { existsSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { buildBinding, verifyBinding } from './binding.mjs';
import { findCompiler, noCompiler } from './compile.mjs';
import { compileKernels, removeKernels } from './kernels.mjs';
import { bindingPackage, installedBinding, modulesFolder, root, tensorflowFolder } from './paths.mjs';
import { findOnPath, run } from './processes.mjs';
import { findTensorflows } from './python.mjs';
import { installWheel, presentWheel } from './wheel.mjs';

const modes = ['auto', 'system', 'official', 'wheel', 'none'];

/** What the user asked for through ACCELHYDRA_TENSORFLOW. */
export function wantedTensorflow() {
  const wanted = process.env.ACCELHYDRA_TENSORFLOW || 'auto';
  return modes.includes(wanted) ? wanted : 'auto';
}

/** Whether the TensorFlow of the record still stands and is what is asked for. Looks at files only. */
export function tensorflowStands(recorded) {
  if (recorded === undefined) return false;
  if (recorded.wanted !== wantedTensorflow()) return false;
  const named = process.env.ACCELHYDRA_PYTHON;
  if (named && recorded.askedPython !== named) return false;
  if (recorded.source === 'none') return true;
  return existsSync(installedBinding) && recorded.libraries.every((path) => existsSync(path));
}

/** @returns {Promise<object>} the `tensorflow` part of the record */
export async function ensureTensorflow(report, node, recorded) {
  if (tensorflowStands(recorded)) {
    const what = recorded.source === 'none' ? recorded.reason : `${recorded.version} from ${recorded.source}`;
    report.skip('tensorflow', what);
    return recorded;
  }
  removeKernels();
  const wanted = wantedTensorflow();
  const common = { wanted, askedPython: process.env.ACCELHYDRA_PYTHON };
  if (wanted === 'none') {
    report.skip('tensorflow', 'switched off by ACCELHYDRA_TENSORFLOW=none');
    return { ...common, source: 'none', reason: 'switched off by ACCELHYDRA_TENSORFLOW=none' };
  }
  const gpu = await seesNvidiaGpu();
  const sources = [
    { name: 'system', attempt: () => fromPython(node) },
    { name: 'official', attempt: () => fromOfficialDownload(node, gpu) },
    { name: 'wheel', attempt: () => fromWheel(node, gpu) },
  ].filter((source) => wanted === 'auto' || wanted === source.name);

  const reasons = [];
  const result = await report.step('tensorflow', titleOf(wanted, gpu), async () => {
    if (recorded?.libraries?.some((path) => !existsSync(path))) reasons.push('the TensorFlow used so far is gone');
    for (const source of sources) {
      const found = await source.attempt();
      if (found.ok) {
        const detail = `${found.record.version} from ${found.record.from}${found.record.gpu ? ', on the GPU' : ''}`;
        return { outcome: 'done', detail, record: found.record };
      }
      reasons.push(...found.problems);
    }
    return {
      outcome: 'failed',
      detail: `none (${reasons.join('; ')}); WebGPU, WebAssembly or JavaScript will be used`,
    };
  });
  if (result.record === undefined) rmSync(installedBinding, { force: true });
  return result.record
    ? { ...common, ...result.record, reason: reasons.join('; ') || undefined, nvidia: gpu }
    : { ...common, source: 'none', reason: reasons.join('; '), nvidia: gpu };
}

async function fromPython(node) {
  const { found, notes } = await findTensorflows();
  const problems = [...notes];
  for (const { python, version, cuda, layout } of found) {
    const used = await buildAndVerify(node, layout, version ?? 'unknown');
    if (used.ok) {
      const record = { source: 'python', from: python, python, cuda, version: used.version, gpu: used.gpu, ...layout };
      return { ok: true, record };
    }
    problems.push(`TensorFlow ${version ?? ''} of ${python}: ${used.problem}`);
  }
  return { ok: false, problems: problems.length > 0 ? problems : ['no TensorFlow in your Python'] };
}

async function fromOfficialDownload(node, gpu) {
  const base = process.env.TFJS_NODE_CDN_STORAGE ?? process.env.CDN_STORAGE ?? 'https://storage.googleapis.com/';
  const fail = (problem) => ({ ok: false, problems: [`the official libtensorflow download: ${problem}`] });
  if (!(await reachable(base))) return fail('its server cannot be reached');
  const path = [join(modulesFolder, '.bin'), join(node.path, '..'), process.env.PATH ?? ''].join(delimiter);
  const script = join(bindingPackage, 'scripts', 'install.js');
  const fetched = await run(node.path, [script, gpu ? 'gpu' : 'cpu', 'download'], {
    cwd: bindingPackage,
    env: { ...process.env, PATH: path },
    timeoutMs: 1_200_000,
  });
  const layout = officialLayout();
  if (layout === undefined) return fail(fetched.problem || 'nothing usable arrived');
  // Without a compiler the package's own prebuilt binding, which the script fetched, has to do.
  const used = findCompiler() ? await buildAndVerify(node, layout, '2.9.1') : await verifyBinding(node);
  if (!used.ok) return fail(used.problem);
  const record = {
    source: 'libtensorflow',
    from: 'the official download',
    cuda: gpu,
    version: used.version,
    gpu: used.gpu,
  };
  return { ok: true, record: { ...record, ...layout } };
}

/** The downloaded library, moved out of node_modules so that the next `npm ci` does not cost another download. */
function officialLayout() {
  const fetched = join(bindingPackage, 'deps');
  let home = fetched;
  if (findCompiler() && existsSync(join(fetched, 'lib'))) {
    home = join(tensorflowFolder, 'libtensorflow');
    rmSync(home, { recursive: true, force: true });
    renameSync(fetched, home);
  }
  const extension = process.platform === 'darwin' ? '.2.dylib' : '.so.2';
  const libraries = ['libtensorflow', 'libtensorflow_framework'].map((name) => join(home, 'lib', name + extension));
  return libraries.every((path) => existsSync(path)) ? { include: join(home, 'include'), libraries } : undefined;
}

async function fromWheel(node, gpu) {
  const fail = (problem) => ({ ok: false, problems: [`a wheel of our own: ${problem}`] });
  if (findCompiler() === undefined) return fail(noCompiler('the binding'));
  const present = presentWheel(gpu);
  let wheel = present ?? (await installWheel(gpu));
  let used = wheel.ok ? await buildAndVerify(node, wheel.layout, wheel.package) : wheel;
  if (present !== undefined && !used.ok) {
    wheel = await installWheel(gpu);
    used = wheel.ok ? await buildAndVerify(node, wheel.layout, wheel.package) : wheel;
  }
  if (!used.ok) return fail(used.problem);
  const record = { source: 'wheel', from: `pip (${wheel.package})`, python: wheel.python, cuda: wheel.cuda };
  return { ok: true, record: { ...record, version: used.version, gpu: used.gpu, ...wheel.layout } };
}

async function buildAndVerify(node, layout, version) {
  // They take longest. Begun here, they are waited for by ensureKernels.
  const kernels = compileKernels(layout);
  const built = await buildBinding(layout, version);
  const used = built.ok ? await verifyBinding(node) : built;
  // The next TensorFlow is tried with both cores again.
  if (!used.ok) await kernels;
  return used;
}

/** Any answer will do, and soon: a closed network must not hold set-up up. Behind a proxy only the download can tell. */
async function reachable(url) {
  if (process.env.HTTPS_PROXY || process.env.https_proxy || process.env.HTTP_PROXY || process.env.http_proxy)
    return true;
  try {
    await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(4_000) });
    return true;
  } catch {
    return false;
  }
}

async function seesNvidiaGpu() {
  const program = findOnPath('nvidia-smi');
  if (program === undefined) return false;
  const result = await run(program, ['-L'], { cwd: root, timeoutMs: 10_000 });
  return result.ok && /^GPU \d+/m.test(result.stdout);
}

function titleOf(wanted, gpu) {
  const where = wanted === 'auto' ? "your Python, the official download, then pip's wheel" : wanted;
  return `looking for native TensorFlow${gpu ? ' with CUDA' : ''} (${where}; a wheel is about ${gpu ? 3 : 0.3} GB)`;
}
