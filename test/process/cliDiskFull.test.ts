import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

// Real processes that really cannot write: the system refuses files beyond a size (RLIMIT_FSIZE), as a full disk would.
// The run's other files are small; the model is not.

const main = fileURLToPath(new URL('../../engine/cli/main.ts', import.meta.url));
const limitInBlocks = 2000; // of 512 or 1024 bytes, as the shell has it
const bigModel = [
  'model._target_=torch.nn.Sequential',
  '+model._args_=[{_target_: torch.nn.Linear, in_features: 1, out_features: 500000}, {_target_: torch.nn.Linear, in_features: 500000, out_features: 1}]',
];

let folder: string;
let project: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'accelhydra-full-')));
  project = join(folder, 'line');
  cpSync(fileURLToPath(new URL('../fixtures/cli/project', import.meta.url)), project, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.skipIf(process.platform === 'win32')(
  'a disk that takes no checkpoint: training goes on, warns, and ends as failed',
  async () => {
    const command = `ulimit -f ${limitInBlocks} && exec "$0" "$@"`;
    const training = ['train', ...bigModel, 'optimizer.lr=1e-9', 'epochs=2', '+trainer.save_every_n_steps=3'];
    const child = spawn('/bin/sh', ['-c', command, process.execPath, main, ...training], {
      cwd: project,
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        NODE_DISABLE_COMPILE_CACHE: '1',
        XDG_CONFIG_HOME: join(folder, 'settings'),
        NO_COLOR: '1',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += String(chunk);
      });
    }
    const [code] = (await once(child, 'close')) as [number | null];
    expect(output).toMatch(
      /The checkpoint \S+step_3 could not be written: .*does not take files that large.* Training goes on/,
    );
    expect(output).toMatch(/failed after .*ran to step 16, but its last checkpoint is missing: .*could not be written/);
    expect(code).toBe(1);
    const run = join(project, 'experiments/line');
    // every epoch was trained and validated all the same
    const journal = readFileSync(join(run, 'metrics/metrics.jsonl'), 'utf8');
    expect(journal.match(/"val\/loss"/g)).toHaveLength(2);
    expect(JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'))).toMatchObject({ status: 'failed' });
    const left = existsSync(join(run, 'checkpoints')) ? readdirSync(join(run, 'checkpoints')) : [];
    expect(left).toEqual([]);
  },
);
