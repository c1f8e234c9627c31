// A TensorFlow of our own, installed by pip into .runtime. Only the library is wanted, not Python's half of TensorFlow:
// none of its thirty dependencies is installed, save NVIDIA's libraries for the CUDA variant.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tensorflowFolder } from './paths.mjs';
import { run } from './processes.mjs';
import { libraryLayout, pythonCandidates } from './python.mjs';

const environmentFolder = join(tensorflowFolder, 'venv');
const targetFolder = join(tensorflowFolder, 'site');
/** Written last, so that an install cut short is not taken for a whole one. */
const completeFile = join(tensorflowFolder, 'wheel.json');
/** For a Python that TensorFlow has no wheel for: the library inside does not depend on it. */
const anyPython = ['--python-version', '3.12', '--only-binary=:all:'];

/** The wheel installed earlier, when it is whole and still what is wanted. */
export function presentWheel(gpu) {
  if (!existsSync(completeFile)) return undefined;
  const wheel = JSON.parse(readFileSync(completeFile, 'utf8'));
  return wheel.layout.libraries.every((path) => existsSync(path)) && (wheel.cuda || !gpu) ? wheel : undefined;
}

/**
 * @param {boolean} gpu whether to take the CUDA variant
 * @returns {Promise<{ ok: boolean, problem: string, layout?: object, package?: string, cuda?: boolean, python?: string }>}
 */
export async function installWheel(gpu) {
  const python = await findPip();
  if (python === undefined) return { ok: false, problem: 'no Python with pip' };
  const names = gpu || process.platform !== 'linux' ? ['tensorflow'] : ['tensorflow-cpu', 'tensorflow'];
  let problem = '';
  for (const place of await places(python)) {
    for (const name of names) {
      const installed = await pipInstall(place, [name]);
      if (!installed.ok) {
        problem = `pip cannot install ${name}: ${installed.problem}`;
        continue;
      }
      const site = place.site();
      const layout = site && libraryLayout(join(site, 'tensorflow'));
      if (!layout) {
        problem = `the wheel ${name} has no C library to link against`;
        continue;
      }
      const cuda = gpu && (await pipInstall(place, cudaRequirements(site))).ok;
      const wheel = { ok: true, problem: '', layout, package: name, cuda, python };
      writeFileSync(completeFile, JSON.stringify(wheel));
      return wheel;
    }
  }
  return { ok: false, problem };
}

async function findPip() {
  for (const python of pythonCandidates()) {
    if ((await run(python, ['-m', 'pip', '--version'], { timeoutMs: 60_000 })).ok) return python;
  }
  return undefined;
}

/** Where pip may install to: a virtual environment, or plain folders where venv is missing or the Python is too new. */
async function places(python) {
  rmSync(completeFile, { force: true });
  rmSync(environmentFolder, { recursive: true, force: true });
  rmSync(targetFolder, { recursive: true, force: true });
  const list = [];
  const created = await run(python, ['-m', 'venv', '--without-pip', environmentFolder], { timeoutMs: 120_000 });
  if (created.ok) {
    const inner = [join(environmentFolder, 'bin', 'python'), join(environmentFolder, 'Scripts', 'python.exe')];
    const interpreter = inner.find((path) => existsSync(path));
    if (interpreter) {
      list.push({
        command: [python, '-m', 'pip', '--python', interpreter],
        extra: [],
        site: () => siteOf(environmentFolder),
      });
    }
  }
  mkdirSync(tensorflowFolder, { recursive: true });
  const target = { command: [python, '-m', 'pip'], site: () => targetFolder };
  list.push({ ...target, extra: ['--target', targetFolder, '--upgrade'] });
  list.push({ ...target, extra: ['--target', targetFolder, '--upgrade', ...anyPython] });
  return list;
}

async function pipInstall(place, requirements) {
  if (requirements.length === 0) return { ok: true, problem: '' };
  const [command, ...args] = place.command;
  // One retry and no dependencies: an index that cannot be reached costs about a second instead of minutes.
  const quick = [
    '--no-deps',
    '--no-compile',
    '--no-input',
    '--disable-pip-version-check',
    '--retries',
    '1',
    '--timeout',
    '20',
  ];
  const all = [...args, 'install', ...quick, '--progress-bar', 'off', '--quiet', ...place.extra, ...requirements];
  return run(command, all, { timeoutMs: 3_600_000 });
}

function siteOf(folder) {
  const lib = join(folder, 'lib');
  const python = existsSync(lib) ? readdirSync(lib).find((name) => name.startsWith('python')) : undefined;
  return python ? join(lib, python, 'site-packages') : join(folder, 'Lib', 'site-packages');
}

/** NVIDIA's libraries that this wheel names for its `and-cuda` extra, e.g. `nvidia-cudnn-cu12>=9.3`. */
function cudaRequirements(site) {
  const info = readdirSync(site).find((name) => /^tensorflow-.*\.dist-info$/.test(name));
  if (info === undefined) return [];
  const metadata = readFileSync(join(site, info, 'METADATA'), 'utf8');
  return parseCudaRequirements(metadata);
}

/** @param {string} metadata a wheel's METADATA */
export function parseCudaRequirements(metadata) {
  return metadata
    .split('\n')
    .filter((line) => line.startsWith('Requires-Dist:') && /extra == ["']and-cuda["']/.test(line))
    .map((line) =>
      line
        .slice('Requires-Dist:'.length)
        .split(';')[0]
        .replace(/[()\s]/g, ''),
    );
}
