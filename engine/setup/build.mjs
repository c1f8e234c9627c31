// `npm run build`: the page into dist/renderer and Electron's preload into dist/electron, each only when its sources
// changed. The engine needs no build. Runs under the Node that set-up chose.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { modulesFolder, root } from './paths.mjs';
import { run } from './processes.mjs';
import { SetupError } from './report.mjs';
import { sourceStamp } from './sourceStamp.mjs';

const stampFile = join(root, 'dist', 'stamps.json');
const shared = ['engine/api', 'engine/base', 'package-lock.json', 'tsconfig.json', 'engine/setup/build.mjs'];

const targets = [
  {
    name: 'renderer',
    sources: ['renderer', 'electron/shared', 'vite.config.ts', ...shared],
    result: 'dist/renderer/index.html',
    script: join('vite', 'bin', 'vite.js'),
    args: ['build', '--logLevel', 'warn'],
  },
  {
    name: 'preload',
    sources: ['electron/preload', 'electron/shared', ...shared],
    result: 'dist/electron/preload.cjs',
    script: join('esbuild', 'bin', 'esbuild'),
    args: [
      ...['electron/preload/preload.ts', '--bundle', '--platform=node', '--format=cjs', '--external:electron'],
      ...['--target=node24', '--outfile=dist/electron/preload.cjs', '--log-level=warning'],
    ],
  },
];

/**
 * @param {{ path: string }} node
 * @param {(text: string) => void} line
 * @returns {Promise<boolean>} whether anything had to be built
 */
export async function build(node, line) {
  const stamps = readStamps();
  let built = false;
  for (const target of targets) {
    const stamp = sourceStamp(target.sources);
    if (stamps[target.name] === stamp && existsSync(join(root, target.result))) continue;
    const started = Date.now();
    const result = await run(node.path, [join(modulesFolder, target.script), ...target.args], { cwd: root });
    if (!result.ok) throw new SetupError(`building the ${target.name} failed:\n${result.stderr || result.stdout}`);
    built = true;
    stamps[target.name] = stamp;
    mkdirSync(join(root, 'dist'), { recursive: true });
    writeFileSync(stampFile, JSON.stringify(stamps));
    line(`built the ${target.name} (${Math.round((Date.now() - started) / 100) / 10} s)`);
  }
  return built;
}

function readStamps() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'));
  } catch {
    // No stamps: nothing was built yet.
    return {};
  }
}

if (process.argv[1]?.endsWith('build.mjs')) {
  const { bootstrap, failSetup } = await import('./bootstrap.mjs');
  try {
    const { node } = await bootstrap();
    const built = await build(node, (text) => process.stdout.write(`build: ${text}\n`));
    if (!built) process.stdout.write('build: nothing to do\n');
  } catch (error) {
    failSetup(error);
  }
}
