import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
export const CLI = join(REPOSITORY, 'engine/cli/main.ts');

export interface ServedApp {
  readonly link: string;
  readonly port: number;
  readonly projectDir: string;
  /** Ends the server (not its runs) and waits for it. */
  stop(): Promise<void>;
  /** Ends it without a chance to clean up. */
  kill(): Promise<void>;
}

/** A sample project of its own in a temporary folder, with the user's settings kept there too. */
export interface SampleProject {
  readonly folder: string;
  readonly home: string;
  readonly environment: NodeJS.ProcessEnv;
  remove(): void;
}

export function createSampleProject(): SampleProject {
  const home = mkdtempSync(join(tmpdir(), 'accelhydra-e2e-'));
  const folder = join(home, 'project');
  const environment = {
    ...process.env,
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_DATA_HOME: join(home, '.local'),
    NO_COLOR: '1',
  };
  execFileSync(process.execPath, [CLI, 'init', folder, '--template', 'mnist'], { env: environment, stdio: 'pipe' });
  return { folder, home, environment, remove: () => rmSync(home, { recursive: true, force: true }) };
}

/** `accelhydra serve` in a real process; resolves once it printed its link. */
export async function serveApp(project: SampleProject): Promise<ServedApp> {
  if (!existsSync(join(REPOSITORY, 'dist/renderer/index.html'))) {
    execFileSync(process.execPath, [join(REPOSITORY, 'node_modules/vite/bin/vite.js'), 'build'], {
      cwd: REPOSITORY,
      stdio: 'pipe',
    });
  }
  const child = spawn(process.execPath, [CLI, 'serve', '--headless', '--port', '0', '--project', project.folder], {
    env: project.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const link = await printedLink(child);
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  };
  return {
    link,
    port: Number(new URL(link).port),
    projectDir: project.folder,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  };
}

async function printedLink(child: ChildProcess): Promise<string> {
  let text = '';
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /http:\/\/127\.0\.0\.1:\d+\/\?token=\S+/.exec(text);
      if (found) resolve(found[0]);
    });
    child.on('exit', (code) => reject(new Error(`serve ended with ${code}: ${text}${errors}`)));
  });
}
