import { cpSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runNode } from '../support/runNode.ts';

// One story: a training that keeps its checkpoints outside its folder, its steps done again, its code changed, its checkpoint
// damaged.

const main = fileURLToPath(new URL('../../engine/cli/main.ts', import.meta.url));
let folder: string;
let project: string;
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'accelhydra-verify-')));
  project = join(folder, 'line');
  cpSync(fileURLToPath(new URL('../fixtures/cli/project', import.meta.url)), project, { recursive: true });
  const place = '+trainer.checkpoint_dir=kept/line';
  const changes = [
    place,
    'epochs=3',
    'trainer.save_last_k=3',
    '+trainer.save_every_n_steps=5',
    'trainer.log_every_n_steps=1',
  ];
  expect(await accelhydra('train', ...changes)).toMatchObject({ code: 0 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function accelhydra(...commandArguments: string[]) {
  const environment = { XDG_CONFIG_HOME: join(folder, 'settings'), NO_COLOR: '1', FORCE_COLOR: undefined };
  return runNode([main, ...commandArguments], { cwd: project, environment, timeoutMs: 100_000 });
}

const checkpoints = 'kept/line';

test('the last checkpoint is arrived at again, to the bit', async () => {
  const { code, stdout } = await accelhydra('verify', 'experiments/line');
  expect(stdout).toMatch(/^files {3}intact: 4 files, .* every hash as saved$/m);
  expect(stdout).toMatch(
    /^replay {2}identical: 4 steps \(20 to 24\) lead to \S+epoch_3, 2 tensors and \d+ values of the state to the bit, and the 13 logged values of the record$/m,
  );
  expect(code).toBe(0);
});

test('changed code shows where the training parts from the record', async () => {
  const file = join(project, 'code/line.ts');
  const code = readFileSync(file, 'utf8');
  const changed = code.replace('return this.loss_fn.call(this.model.call(x), y)', '$&.mul(1.5)');
  expect(changed).not.toBe(code);
  writeFileSync(file, changed);
  const different = await accelhydra('verify', `${checkpoints}/epoch_2`, '--json');
  writeFileSync(file, code);
  expect(different.code).toBe(1);
  expect(JSON.parse(different.stdout)).toMatchObject({
    files: { count: 4 },
    replay: { fromStep: 16, toStep: 20, difference: { kind: 'metric', step: 16, key: 'train/loss' } },
  });
});

test('a damaged checkpoint is found by its hash, and the next best named', async () => {
  const file = join(project, checkpoints, 'epoch_3', 'model.safetensors');
  const bytes = readFileSync(file);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  writeFileSync(file, bytes);
  const damaged = await accelhydra('verify', 'experiments/line', '--steps', '0');
  expect(damaged.code).toBe(1);
  expect(damaged.stdout).toMatch(/^files {3}damaged: .*epoch_3\/model\.safetensors is damaged/m);
  expect(damaged.stdout).toMatch(/^The next best is \S+\/best\.$/m);
  // a run that goes on by itself passes over it, and arrives at the same end
  const resumed = await accelhydra('train', '+auto_resume_from_latest_ckpt=true');
  expect(resumed.code).toBe(0);
  expect(resumed.stderr).toMatch(
    /epoch_3\/model\.safetensors is damaged: .* Going on from \S+kept\/line\/best instead\.$/m,
  );
  // one that is named goes on with the run that it is of
  const from = `+trainer.resume_from_checkpoint=${checkpoints}/epoch_2`;
  const named = await accelhydra('train', from, 'epochs=4', '--num_processes', '2');
  expect(named.code).toBe(0);
  expect(named.stderr).toMatch(
    /goes on from \S+kept\/line\/epoch_2, in its own folder[\s\S]* {2}line {2}on cpu, cpu$/m,
  );
  // a folder of checkpoints, which is no run's, means the newest in it
  const newest = await accelhydra('train', '+trainer.resume_from_checkpoint=kept/line', 'epochs=5');
  expect(newest.stderr).toMatch(/goes on from \S+kept\/line\/epoch_4, in its own folder/);
  expect(newest.code).toBe(0);
  const nowhere = await accelhydra('verify', 'experiments/lines');
  expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining('There is no checkpoint') });
});

test('a run keeps off the checkpoints of another one in its folder, and a branch has a folder of its own', async () => {
  const before = contents();
  const branch = await accelhydra('runs', 'branch', 'line', 'epochs=6');
  expect(branch).toMatchObject({ code: 0 });
  expect(contents()).toEqual(before);
  const manifest = readFileSync(join(project, 'kept/line-2/epoch_6/manifest.json'), 'utf8');
  expect(JSON.parse(manifest)).toMatchObject({ epoch: 6, run: expect.stringMatching(/experiments\/line-2$/) });
  const second = await accelhydra('train', 'exp_dir=experiments/second', '+trainer.checkpoint_dir=kept/line');
  expect(second.code).toBe(1);
  expect(second.stderr).toMatch(
    /kept\/line holds checkpoints of another run: .*epoch_5.* of \S+experiments\/line\. .* trainer\.checkpoint_dir; /,
  );
  expect(contents()).toEqual(before);
});

/** Each checkpoint of the first run, as it was written. */
function contents() {
  const place = join(project, checkpoints);
  const names = readdirSync(place).filter((name) => name !== 'superseded');
  return names.map((name) => [name, readFileSync(join(place, name, 'manifest.json'), 'utf8')]);
}
