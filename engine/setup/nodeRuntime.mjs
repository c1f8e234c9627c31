// The Node that everything runs under: the one that started us when it is new enough, else one from the npm registry.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { isNewEnough, oldestNode } from './nodeVersion.mjs';
import { nodeFolder } from './paths.mjs';
import { findOnPath, run } from './processes.mjs';
import { SetupError } from './report.mjs';

const fetchedVersion = '24.21.0';

/** Path of the fetched Node, whether or not it is there. */
export function fetchedNode() {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const executable = process.platform === 'win32' ? 'node.exe' : 'node';
  return join(nodeFolder, 'node_modules', name, 'bin', executable);
}

/** The Node to use, without fetching anything; undefined when set-up must bring one first. */
export function presentNode() {
  if (isNewEnough(process.version)) return { path: process.execPath, version: process.version, source: 'system' };
  const path = fetchedNode();
  return existsSync(path) ? { path, version: `v${fetchedVersion}`, source: 'npm' } : undefined;
}

/** @returns {Promise<{ path: string, version: string, source: 'system' | 'npm' }>} */
export async function ensureNode(report) {
  const present = presentNode();
  if (present !== undefined) {
    report.skip('node', `${present.version}, ${present.source === 'npm' ? 'from .runtime/node' : 'the one on PATH'}`);
    return present;
  }
  const title = `Node ${process.version} is older than ${oldestNode.join('.')}; fetching ${fetchedVersion} into .runtime/node`;
  const result = await report.step('node', title, async () => {
    const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
    mkdirSync(nodeFolder, { recursive: true });
    writeFileSync(join(nodeFolder, 'package.json'), '{ "private": true }\n');
    const npm = npmCommand(process.execPath);
    const wanted = ['install', '--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'];
    const args = [...npm.args, ...wanted, `${name}@${fetchedVersion}`];
    const fetched = await run(npm.command, args, { cwd: nodeFolder, env: npm.env });
    if (!fetched.ok) return { outcome: 'failed', detail: fetched.problem };
    const trial = await run(fetchedNode(), ['--version'], { timeoutMs: 20_000 });
    if (!trial.ok) return { outcome: 'failed', detail: `the fetched Node does not run here: ${trial.problem}` };
    return { outcome: 'done', detail: trial.stdout.trim() };
  });
  if (result.outcome !== 'done') {
    throw new SetupError(
      `AccelHydra Studio needs Node ${oldestNode.join('.')} or newer and could not fetch it (${result.detail}). ` +
        'Install it from your system or nodejs.org and start again.',
    );
  }
  return { path: fetchedNode(), version: `v${fetchedVersion}`, source: 'npm' };
}

/** How to call npm so that it, and every script it starts, runs under the given Node. */
export function npmCommand(nodePath) {
  const env = { ...process.env, PATH: `${dirname(nodePath)}${delimiter}${process.env.PATH ?? ''}` };
  const script = process.env.npm_execpath;
  if (script?.endsWith('.js') && existsSync(script)) return { command: nodePath, args: [script], env };
  const found = findOnPath('npm');
  if (found === undefined) throw new SetupError('npm is not on PATH. Install it beside Node and start again.');
  return { command: found, args: [], env };
}
