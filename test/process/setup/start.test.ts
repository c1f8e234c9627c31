import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';

const start = join(import.meta.dirname, '../../../engine/setup/start.mjs');

/** Whether a process with this number is there. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('npm start without a window says why, serves the page behind a token, and ends whole', async () => {
  const child = spawn(process.execPath, [start, '--headless'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const lines: string[] = [];
    let link: URL | undefined;
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
      const address = /http:\/\/\S+/.exec(line)?.[0];
      if (address !== undefined) {
        link = new URL(address);
        break;
      }
    }
    expect(lines).toContainEqual(expect.stringMatching(/^No window: --headless was given/));
    expect(link?.hostname).toBe('127.0.0.1');
    const entry = await fetch(link ?? '', { redirect: 'manual' });
    const cookie = entry.headers.get('set-cookie')?.split(';')[0] ?? '';
    const page = await fetch(new URL('/', link), { headers: { cookie } });
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('<div id="root"');
    expect((await fetch(link ?? '', { redirect: 'manual' })).status, 'the link opens once').toBe(401);
    expect((await fetch(new URL('/', link))).status, 'nobody comes in without it').toBe(401);
  } finally {
    child.kill('SIGTERM');
    child.stdout.resume();
    if (child.exitCode === null) await once(child, 'exit');
  }
  expect(isAlive(child.pid ?? 0)).toBe(false);
});
