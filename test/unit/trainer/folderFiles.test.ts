import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { loadCheckpoint, newestIntact } from '../../../engine/checkpoint/index.ts';
import { ExponentialLR } from '../../../engine/optim/index.ts';
import { folderFiles } from '../../../engine/trainer/checkpoints/folderFiles.ts';
import { MetricMonitor } from '../../../engine/trainer/monitor/metricMonitor.ts';
import type { TrainerOptions } from '../../../engine/trainer/trainer.ts';
import { setUp, weightsOf } from './support.ts';

let folder: string;
beforeAll(async () => {
  await tf.setBackend('cpu');
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trainer-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function inFolder(epochs: number, resumeFrom?: string, options: Partial<TrainerOptions> = {}) {
  const built = setUp({
    shuffle: true,
    options: {
      project_dir: folder,
      epochs,
      save_last_k: 2,
      gradient_accumulation_steps: 3,
      metric_monitor: new MetricMonitor(),
      ...options,
    },
    environment: {
      runDir: folder,
      hyperparameters: { optimizer: { lr: 0.05 } },
      ...(resumeFrom === undefined ? {} : { resumeFrom }),
    },
  });
  built.trainer.storeCheckpointsIn(folderFiles);
  return built;
}

test('checkpoints are folders, pruned by number, with the config inside; a run goes on from the newest', async () => {
  const { trainer, recording } = inFolder(3);
  await trainer.fit();
  expect(readdirSync(join(folder, 'checkpoints')).sort()).toEqual(['best', 'epoch_2', 'epoch_3']);
  const saved = await loadCheckpoint(join(folder, 'checkpoints', 'epoch_3'));
  expect(saved.configText).toBe('optimizer:\n  lr: 0.05\n');
  expect(saved.manifest.metrics.loss).toBe(recording.points('val/loss').at(-1)?.value);
  const more = inFolder(5, join(folder, 'checkpoints', 'epoch_3'));
  await more.trainer.fit();
  expect(readdirSync(join(folder, 'checkpoints')).sort()).toEqual(['best', 'epoch_4', 'epoch_5']);
  const whole = setUp({ shuffle: true, options: { epochs: 5, gradient_accumulation_steps: 3 } });
  await whole.trainer.fit();
  expect(await weightsOf(more.trainer.model)).toEqual(await weightsOf(whole.trainer.model));
});

test('a damaged checkpoint is refused, naming the next best one', async () => {
  await inFolder(3).trainer.fit();
  const damaged = join(folder, 'checkpoints', 'epoch_3');
  writeFileSync(join(damaged, 'model.safetensors'), 'cut off');
  await expect(inFolder(4, damaged).trainer.fit()).rejects.toThrow(
    /model\.safetensors is damaged.*next best is (best|epoch_2)/,
  );
});

test('weights alone are no checkpoint to go on from', async () => {
  await inFolder(1).trainer.fit();
  const file = join(folder, 'checkpoints', 'epoch_1', 'model.safetensors');
  await expect(inFolder(4, file).trainer.fit()).rejects.toThrow(/holds weights only/);
});

function damage(name: string): void {
  const file = join(folder, 'checkpoints', name, 'model.safetensors');
  const bytes = readFileSync(file);
  // one bit, the size stays: only the hash tells
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  writeFileSync(file, bytes);
}

function autoResumed(epochs: number) {
  const { trainer, recording } = setUp({
    shuffle: true,
    options: {
      project_dir: folder,
      epochs,
      gradient_accumulation_steps: 3,
      auto_resume_from_latest_ckpt: true,
      save_last_k: null,
    },
    environment: { runDir: folder },
  });
  return { trainer: trainer.storeCheckpointsIn(folderFiles), recording };
}

test('automatic resume passes over damaged checkpoints, says so, and comes to the same end', async () => {
  await autoResumed(4).trainer.fit();
  damage('epoch_4');
  rmSync(join(folder, 'checkpoints', 'epoch_3', 'manifest.json'));
  const { trainer, recording } = autoResumed(5);
  await trainer.fit();
  expect(recording.texts()).toContainEqual(
    expect.stringMatching(
      /epoch_3 is damaged: .*epoch_4\/model\.safetensors is damaged.*from checkpoints\/epoch_2 instead/,
    ),
  );
  expect(recording.reports.find((report) => report.type === 'progress')).toMatchObject({ progress: { step: 8 } });
  const whole = setUp({ shuffle: true, options: { epochs: 5, gradient_accumulation_steps: 3 } });
  await whole.trainer.fit();
  expect(await weightsOf(trainer.model)).toEqual(await weightsOf(whole.trainer.model));
});

test('automatic resume never begins anew where every checkpoint is damaged', async () => {
  await autoResumed(1).trainer.fit();
  damage('epoch_1');
  await expect(autoResumed(2).trainer.fit()).rejects.toThrow(/No checkpoint of .* can be gone on from/);
});

test('a run that goes on from an earlier step moves the later checkpoints of its old future aside', async () => {
  const options = { permanent_save_every_n_steps: 8, save_last_k: null };
  const first = inFolder(4, undefined, options);
  await first.trainer.fit();
  const old = await weightsOf(first.trainer.model);
  const again = inFolder(4, join(folder, 'checkpoints', 'epoch_2'), { ...options, epochs: 3 });
  await again.trainer.fit();
  expect(readdirSync(join(folder, 'checkpoints')).sort()).toEqual(['best', 'epoch_1', 'epoch_2', 'epoch_3']);
  expect(readdirSync(folder).sort()).toEqual(['checkpoints', 'ckpt_step_8', 'superseded']);
  const aside = join(folder, 'superseded', '1');
  expect(readdirSync(aside).sort()).toEqual(['checkpoints', 'ckpt_step_16']);
  expect(readdirSync(join(aside, 'checkpoints')).sort()).toEqual(['best', 'epoch_3', 'epoch_4']);
  expect(again.recording.texts()).toContainEqual(
    expect.stringMatching(/epoch_3, .*epoch_4: of steps after 8, .* Moved to superseded\/1\.$/),
  );
  const rows = again.recording.reports.flatMap((report) => (report.type === 'checkpoint-pruned' ? [report.path] : []));
  expect(rows).toContain('checkpoints/epoch_4');
  // what an automatic resume takes is of the new future, and what was moved can still be gone on from
  expect((await newestIntact(folder)).checkpoint).toMatchObject({ path: 'checkpoints/epoch_3', step: 12 });
  const kept = inFolder(4, join(aside, 'checkpoints', 'epoch_4'));
  await kept.trainer.fit();
  expect(await weightsOf(kept.trainer.model)).toEqual(old);
});

test('a checkpoint folder elsewhere is where an automatic resume looks', async () => {
  const options = { checkpoint_dir: join(folder, 'elsewhere'), auto_resume_from_latest_ckpt: true };
  await inFolder(1, undefined, options).trainer.fit();
  const more = inFolder(2, undefined, options);
  await more.trainer.fit();
  expect(more.recording.reports.find((report) => report.type === 'progress')).toMatchObject({ progress: { step: 4 } });
});

test('where best was moved aside the best of what is left takes its place, and a lesser one than ever may follow', async () => {
  const options = { save_last_k: null, metric_monitor: new MetricMonitor() };
  await inFolder(4, undefined, options).trainer.fit();
  const from = join(folder, 'checkpoints', 'epoch_2');
  const again = inFolder(4, from, { ...options, metric_monitor: new MetricMonitor(), epochs: 2, restore_best: true });
  await again.trainer.fit();
  const { metrics } = await loadCheckpoint(from).then(({ manifest }) => manifest);
  const best = await loadCheckpoint(join(folder, 'checkpoints', 'best'));
  expect(best.manifest).toMatchObject({ kind: 'best', step: 8, metrics });
  const rows = again.recording.reports.flatMap((report) =>
    report.type === 'checkpoint-saved' ? [report.checkpoint] : [],
  );
  expect(rows).toContainEqual(expect.objectContaining({ kind: 'best', path: 'checkpoints/best', step: 8 }));
  expect(again.recording.texts()).toContainEqual(expect.stringMatching(/^The best checkpoint is now that of step 8/));
  expect(again.recording.texts()).toContainEqual(expect.stringMatching(/^The weights are those of the best loss/));
});

test('a run in another folder has a best of its own, though the monitor has seen better', async () => {
  const monitor = () => new MetricMonitor();
  const first = inFolder(2, undefined, { metric_monitor: monitor() });
  await first.trainer.fit();
  const options = { metric_monitor: monitor(), project_dir: join(folder, 'branch') };
  const branch = inFolder(3, join(folder, 'checkpoints', 'epoch_2'), options);
  branch.trainer.validation_step = () => void branch.trainer.accumulate({ loss: 1e6 });
  await branch.trainer.fit();
  expect((await loadCheckpoint(join(folder, 'branch', 'checkpoints', 'best'))).manifest).toMatchObject({ step: 12 });
  expect(branch.trainer.settings.metric_monitor?.worse_count).toBe(1);
});

test('what lies outside the run is moved aside beside where it lies: it may be another disk', async () => {
  const elsewhere = join(folder, 'elsewhere');
  const options = { checkpoint_dir: elsewhere, project_dir: join(folder, 'run'), save_last_k: null };
  await inFolder(3, undefined, options).trainer.fit();
  await inFolder(2, join(elsewhere, 'epoch_1'), options).trainer.fit();
  expect(readdirSync(elsewhere).sort()).toEqual(['best', 'epoch_1', 'epoch_2', 'superseded']);
  expect(readdirSync(join(elsewhere, 'superseded', '1')).sort()).toEqual(['best', 'epoch_2', 'epoch_3']);
});

test('a branch with another rate, decay or schedule trains with it, at the place of the schedule that was reached', async () => {
  const build = (optimizer: object, lr_scheduler: object, from?: string) => {
    const built = inFolder(
      from === undefined ? 2 : 3,
      from,
      from === undefined ? {} : { project_dir: `${folder}/branch` },
    );
    Object.assign(built.trainer.optimizer.paramGroups[0] ?? {}, optimizer);
    const scheduler = new ExponentialLR(built.trainer.optimizer, { gamma: 0.5 });
    Object.assign(built.trainer, { lr_scheduler: scheduler });
    built.trainer.attach({ ...built.trainer.environment, hyperparameters: { optimizer, lr_scheduler } });
    return built;
  };
  const schedule = { _target_: 'torch.optim.lr_scheduler.ExponentialLR', gamma: 0.5 };
  const first = build({ lr: 0.04, weight_decay: 0 }, schedule);
  await first.trainer.fit();
  const from = join(folder, 'checkpoints', 'epoch_2');
  const same = build({ lr: 0.04, weight_decay: 0 }, schedule, from);
  await same.trainer.fit();
  rmSync(join(folder, 'branch'), { recursive: true });
  const other = build({ lr: 0.4, weight_decay: 0.1 }, schedule, from);
  await other.trainer.fit();
  const lr = (trainer: typeof same.trainer) => trainer.optimizer.paramGroups[0]?.lr ?? 0;
  expect(lr(other.trainer) / lr(same.trainer)).toBeCloseTo(10, 10);
  expect(other.trainer.optimizer.paramGroups[0]).toMatchObject({ weight_decay: 0.1 });
  expect(other.recording.texts()).toContain(
    "optimizer.lr, optimizer.weight_decay: the config's value counts, not the one of the checkpoint.",
  );
  expect(same.recording.texts().join()).not.toContain('the config');
});

test('an epoch of another length, as with other processes, is trained in full, and steps count on', async () => {
  await inFolder(2).trainer.fit();
  const from = join(folder, 'checkpoints', 'epoch_2');
  const { trainer, recording } = inFolder(4, from, { epoch_length: 2 });
  expect(await trainer.fit()).toMatchObject({ status: 'completed', epoch: 4, step: 12 });
  expect(recording.points('val/loss').map(({ step }) => step)).toEqual([10, 12]);
  const longer = inFolder(5, join(folder, 'checkpoints', 'epoch_4'), { epoch_length: 6 });
  expect(await longer.trainer.fit()).toMatchObject({ epoch: 5, step: 18 });
});
