// Electron's binary is not part of its npm package. It is fetched only where a window could be opened; without it the app is
// served to a browser, so not getting it is no failure.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { modulesFolder } from './paths.mjs';
import { run } from './processes.mjs';

const packageFolder = join(modulesFolder, 'electron');

/** Path of the binary, or undefined when it was never fetched. */
export function electronBinary() {
  const pointer = join(packageFolder, 'path.txt');
  if (!existsSync(pointer)) return undefined;
  const path = join(
    process.env.ELECTRON_OVERRIDE_DIST_PATH ?? join(packageFolder, 'dist'),
    readFileSync(pointer, 'utf8').trim(),
  );
  return existsSync(path) ? path : undefined;
}

/** Whether a window could be shown; what a missing display is called, for a person, is the reason. */
export function displayObstacle() {
  if (process.platform === 'darwin' || process.platform === 'win32') return undefined;
  if (process.env.DISPLAY || process.env.WAYLAND_DISPLAY) return undefined;
  return 'this machine has no display (neither DISPLAY nor WAYLAND_DISPLAY is set)';
}

export async function ensureElectron(report, node) {
  if (electronBinary() !== undefined) {
    report.skip('electron', 'its binary is there');
    return { available: true };
  }
  const obstacle = displayObstacle();
  if (obstacle !== undefined && process.env.ACCELHYDRA_ELECTRON !== '1') {
    report.skip('electron', `not fetched: ${obstacle}`);
    return { available: false, reason: obstacle };
  }
  const result = await report.step('electron', "fetching Electron's binary", async () => {
    const env = { ...process.env };
    // The fetcher needs a network anyway; npm's offline switches must not make it wait for a prompt.
    delete env.ELECTRON_SKIP_BINARY_DOWNLOAD;
    const fetched = await run(node.path, [join(packageFolder, 'install.js')], {
      cwd: packageFolder,
      env,
      timeoutMs: 300_000,
    });
    if (fetched.ok && electronBinary() !== undefined) return { outcome: 'done', detail: 'fetched' };
    return { outcome: 'failed', detail: `not to be had (${fetched.problem}); the app will open in a browser` };
  });
  return result.outcome === 'done' ? { available: true } : { available: false, reason: result.detail };
}
