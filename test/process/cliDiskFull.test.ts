import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { findDamage } from '../../engine/checkpoint/index.ts';

// Real processes that really cannot write: a file system that is full, one that becomes read-only, and a limit on the
// size of files (RLIMIT_FSIZE).

const main = fileURLToPath(new URL('../../engine/cli/main.ts', import.meta.url));
const limitInBlocks = 2000; // of 512 or 1024 bytes, as the shell has it
const bigModel = [
  'model._target_=torch.nn.Sequential',
  '+model._args_=[{_target_: torch.nn.Linear, in_features: 1, out_features: 500000}, {_target_: torch.nn.Linear, in_features: 500000, out_features: 1}]',
];

let folder: string;
let project: string;
let disk: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'accelhydra-full-')));
  project = join(folder, 'line');
  disk = join(folder, 'disk');
  mkdirSync(disk);
  cpSync(fileURLToPath(new URL('../fixtures/cli/project', import.meta.url)), project, { recursive: true });
});
afterEach(() => unmount());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A file system of its own needs root, and not every container lets root have one. */
function mount(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function unmount(): void {
  try {
    execFileSync('umount', [disk], { stdio: 'ignore' });
  } catch {
    // nothing was mounted
  }
}

async function runShell(command: string, arguments_: readonly string[], environment: Record<string, string> = {}) {
  const child = spawn('/bin/sh', ['-c', command, process.execPath, main, ...arguments_], {
    cwd: project,
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      NODE_DISABLE_COMPILE_CACHE: '1',
      XDG_CONFIG_HOME: join(folder, 'settings'),
      NO_COLOR: '1',
      ...environment,
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
  return { code, output };
}

test.skipIf(process.platform === 'win32')(
  'files that large are not taken: training goes on, warns once, and ends as failed without a stack',
  async () => {
    const training = ['train', ...bigModel, 'optimizer.lr=1e-9', 'epochs=2', '+trainer.save_every_n_steps=3'];
    const { code, output } = await runShell(`ulimit -f ${limitInBlocks} && exec "$0" "$@"`, training);
    expect(output).toMatch(
      /The checkpoint \S+step_3 could not be written: .*does not take files that large.* Training goes on/,
    );
    expect(output.match(/Training goes on/g)).toHaveLength(1);
    expect(output).toMatch(/failed after .*ran to step 16, but its last checkpoint is missing: .*could not be written/);
    expect(output).not.toMatch(/^ +at /m);
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

/** After each epoch, what is in AFTER_n is done to the disk. */
const trainer = `import { execSync } from 'node:child_process';
import { LineTrainer } from './line.ts';

export class Troubled extends LineTrainer {
  override on_train_epoch_end(): void {
    const command = process.env[\`AFTER_\${this.epoch}\`];
    if (command !== undefined) execSync(command, { stdio: 'ignore' });
  }
}
`;

test.skipIf(process.platform === 'win32')(
  'a disk that fills, is cleared and becomes read-only: training goes on, and the last checkpoint is kept',
  async (context) => {
    const isMounted = mount();
    // permissions do not bind root
    context.skip(!isMounted && process.getuid?.() === 0, 'neither a mount nor a folder that may not be written');
    writeFileSync(join(project, 'code/troubled.ts'), trainer);
    const saved = join(disk, 'saved');
    const filler = join(disk, 'filler');
    const troubles = isMounted
      ? {
          AFTER_1: `cat /dev/zero > ${filler} || true`,
          AFTER_2: `rm ${filler}`,
          AFTER_3: `mount -o remount,ro ${disk}`,
        }
      : { AFTER_3: `chmod a-w ${saved}` };
    const training = [
      'train',
      'exp_name=troubled',
      'trainer._target_=troubled.Troubled',
      `+trainer.checkpoint_dir=${saved}`,
    ];
    const { code, output } = await runShell('exec "$0" "$@"', [...training, 'epochs=4'], troubles);
    if (isMounted) {
      expect(output).toMatch(/epoch_2 could not be written: The disk is full: .* Training goes on/);
      expect(output).toMatch(/Checkpoints can be written again: epoch_3 is safe, the \d before it are missing/);
    }
    expect(output).toMatch(
      /epoch_4 could not be written: \S+saved does not allow it( \(a read-only file system\))?\. .*Training goes on/,
    );
    expect(output).toMatch(/failed after .*ran to step 32, but its last checkpoint is missing/);
    expect(output).not.toMatch(/^ +at /m);
    expect(code).toBe(1);
    expect(readdirSync(saved).sort()).toEqual(['best', 'epoch_3']);
    for (const name of ['best', 'epoch_3']) expect(await findDamage(join(saved, name))).toBeUndefined();
    if (!isMounted) execFileSync('chmod', ['u+w', saved]);
  },
);
