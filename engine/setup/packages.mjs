// The npm packages of package-lock.json, installed without running anybody's install script; what those scripts would have
// done, and is needed, set-up does by itself.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npmCommand } from './nodeRuntime.mjs';
import { modulesFolder, root } from './paths.mjs';
import { run } from './processes.mjs';
import { SetupError } from './report.mjs';

export async function ensurePackages(report, node) {
  if (packagesMatch()) {
    report.skip('packages', 'node_modules matches the lock file');
  } else {
    const result = await report.step('packages', 'installing npm packages', async () => {
      const npm = npmCommand(node.path);
      const install = (...how) =>
        run(npm.command, [...npm.args, ...how, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
          cwd: root,
          env: npm.env,
          timeoutMs: 1_800_000,
        });
      let installed = await install('ci');
      // A lock file without the packages of other platforms (see completeLock.mjs) is refused by `ci`, yet says enough.
      if (!installed.ok && /EUSAGE/.test(installed.stderr)) installed = await install('install', '--no-save');
      if (!installed.ok) return { outcome: 'failed', detail: installed.problem };
      return { outcome: 'done', detail: `${countInstalled()} packages` };
    });
    if (result.outcome !== 'done') throw new SetupError(`npm could not install the packages: ${result.detail}`);
  }
  linkCommand(node);
  await ensureSqlite(report, node);
}

/** Whether every package this platform needs is in node_modules in the version of the lock file. */
export function packagesMatch() {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages;
  const present = readJson(join(modulesFolder, '.package-lock.json'))?.packages;
  if (wanted === undefined || present === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '' || entry.link) return true;
    const found = present[path];
    // Optional packages belong to other platforms when they are absent.
    if (found === undefined) return Boolean(entry.optional || entry.devOptional || entry.peer);
    return found.version === entry.version;
  });
}

/** SQLite comes as a prebuilt Node-API library; where that does not load, it is compiled against Node's headers. */
async function ensureSqlite(report, node) {
  const script = "const D = require('better-sqlite3'); new D(':memory:').prepare('select 1').get()";
  const open = () => run(node.path, ['-e', script], { cwd: root, timeoutMs: 60_000 });
  const first = await open();
  if (first.ok) {
    report.skip('sqlite', 'opens a database');
    return;
  }
  const result = await report.step('sqlite', 'the prebuilt SQLite does not load here; compiling it', async () => {
    const npm = npmCommand(node.path);
    const args = [
      'exec',
      '--yes',
      '--',
      'node-gyp',
      'rebuild',
      '--release',
      '--force_build=1',
      '--nodedir',
      nodeHome(node),
    ];
    const cwd = join(modulesFolder, 'better-sqlite3');
    const built = await run(npm.command, [...npm.args, ...args], { cwd, env: npm.env });
    const second = built.ok ? await open() : built;
    return second.ok ? { outcome: 'done', detail: 'compiled' } : { outcome: 'failed', detail: second.problem };
  });
  if (result.outcome !== 'done') {
    throw new SetupError(`SQLite cannot be loaded or compiled (${result.detail}). A C++ compiler and make are needed.`);
  }
}

function nodeHome(node) {
  return join(node.path, '..', '..');
}

/**
 * `npx accelhydra` finds the command here. It starts the chosen Node at once: starting an old one first, only for it to start
 * the right one, would double the time of every short command.
 */
function linkCommand(node) {
  const folder = join(modulesFolder, '.bin');
  const source = join(root, 'engine', 'setup', 'bin.mjs');
  mkdirSync(folder, { recursive: true });
  if (process.platform === 'win32') {
    writeFileSync(join(folder, 'accelhydra.cmd'), `@"${node.path}" "${source}" %*\r\n`);
    return;
  }
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const script = `#!/bin/sh
node=${quoted(node.path)}
[ -x "$node" ] || node=node
exec "$node" ${quoted(source)} "$@"
`;
  const link = join(folder, 'accelhydra');
  // npm leaves a link to bin.mjs here, which must not be written through.
  rmSync(link, { force: true });
  writeFileSync(link, script, { mode: 0o755 });
}

function countInstalled() {
  return Object.keys(readJson(join(modulesFolder, '.package-lock.json'))?.packages ?? {}).length;
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    // Absent or unreadable is the same answer here: not installed yet.
    return undefined;
  }
}
