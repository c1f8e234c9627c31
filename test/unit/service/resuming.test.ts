import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { CheckpointKind } from '../../../engine/api/training.ts';
import { loadProject } from '../../../engine/instantiate/project/loadProject.ts';
import { createRun } from '../../../engine/runs/runRecorder.ts';
import { composeProject } from '../../../engine/service/composition.ts';
import { branchRequest } from '../../../engine/service/resuming/branching.ts';
import { chooseCheckpoint } from '../../../engine/service/resuming/chooseCheckpoint.ts';
import { goOnRequest } from '../../../engine/service/resuming/goOn.ts';
import { composeForSaved, launchResume } from '../../../engine/service/resuming/launchResume.ts';
import { prepareSaved } from '../../../engine/service/resuming/previewing.ts';
import { checkResumeOverrides } from '../../../engine/service/resuming/resumeRules.ts';
import { newRun, openStore, temporaryFolder } from '../runs/support.ts';

const configs: Readonly<Record<string, string>> = {
  'train.yaml':
    'defaults:\n  - optimizer: adam\n  - _self_\nexp_name: line\nexp_dir: experiments/${exp_name}\nepochs: 3\nmodel: {_target_: line.Line}\ntrain_dataloader: {_target_: line.Loader}\nloss_fn: null\ntrainer:\n  epochs: ${epochs}\n  project_dir: ${exp_dir}\n  resume_from_checkpoint: null\n  resume_from_config: null\n  save_last_k: 1\n  logging_config: {report_to: null, save_dir: "${exp_dir}"}\n  _target_: line.LineTrainer\n',
  'optimizer/adam.yaml': 'lr: 0.1\nbetas: [0.9, 0.99]\n_target_: torch.optim.Adam\n',
  'optimizer/sgd.yaml': 'lr: 0.5\nmomentum: 0.9\n_target_: torch.optim.SGD\n',
};

/** A project with one run that has ended, and its checkpoints by name, epoch and step. */
function setUp(checkpoints: readonly (readonly [CheckpointKind, string, number, number])[] = usual) {
  const root = temporaryFolder();
  for (const [name, text] of Object.entries(configs)) {
    mkdirSync(join(root, 'configs', name, '..'), { recursive: true });
    writeFileSync(join(root, 'configs', name), text);
  }
  const project = loadProject(root);
  const store = openStore();
  const overrides = ['optimizer.lr=0.2'];
  const { configYaml, resolvedYaml } = composeProject(project, { configName: 'train', overrides });
  const run = newRun(join(root, 'experiments', 'line'), { name: 'line', overrides, configYaml, resolvedYaml });
  createRun(store, run);
  store.runs.update(run.id, { status: 'completed' });
  for (const [kind, path, epoch, step] of checkpoints) {
    mkdirSync(join(run.expDir, path), { recursive: true });
    writeFileSync(join(run.expDir, path, 'manifest.json'), JSON.stringify({ kind, epoch, step, time: step }));
  }
  const request = (...more: string[]) => ({ configName: 'train', overrides: more });
  return { root, project, store, run: store.runs.get(run.id), request };
}

const usual = [
  ['epoch', 'checkpoints/epoch_1', 1, 100],
  ['epoch', 'checkpoints/epoch_2', 2, 200],
  ['best', 'checkpoints/best', 2, 200],
  ['step', 'checkpoints/step_90', 0, 90],
  ['permanent', 'ckpt_step_150', 1, 150],
] as const;

test('the newest checkpoint is by step, not by name, and not `best` where another has the same step', () => {
  const { store, run } = setUp([
    ['epoch', 'checkpoints/epoch_10', 10, 1000],
    ['epoch', 'checkpoints/epoch_9', 9, 900],
    ['best', 'checkpoints/best', 10, 1000],
  ]);
  expect(chooseCheckpoint(store, run, {})).toMatchObject({ path: 'checkpoints/epoch_10' });
});

test.each([
  { id: 'a step', wish: { step: 150 }, path: 'ckpt_step_150' },
  { id: 'a path', wish: { checkpoint: 'checkpoints/epoch_1' }, path: 'checkpoints/epoch_1' },
  { id: 'a name', wish: { checkpoint: 'best' }, path: 'checkpoints/best' },
])('a checkpoint by $id', ({ wish, path }) => {
  const { store, run } = setUp();
  expect(chooseCheckpoint(store, run, wish).path).toBe(path);
});

test('where there is none the nearest is offered', () => {
  const { store, run } = setUp();
  expect(() => chooseCheckpoint(store, run, { step: 120 })).toThrow(
    /no checkpoint of step 120.*--step 100 and --step 150/,
  );
  expect(() => chooseCheckpoint(store, run, { step: 9999 })).toThrow(/The nearest: --step 200\./);
  expect(() => chooseCheckpoint(store, run, { checkpoint: 'checkpoints/epoch_3' })).toThrow(
    /Did you mean 'checkpoints\/epoch_/,
  );
  expect(() => chooseCheckpoint(store, setUp([]).run, {})).toThrow();
});

test('a resumed run keeps its saved config, whatever the files say by now', () => {
  const { project, store, run, root } = setUp();
  writeFileSync(join(root, 'configs', 'optimizer', 'adam.yaml'), 'lr: 77\n');
  expect(goOnRequest(project, store, run, { overrides: [] })).toEqual({
    runId: run.id,
    checkpoint: 'checkpoints/epoch_2',
  });
  const longer = goOnRequest(project, store, run, { overrides: ['epochs=5', 'trainer.save_last_k=4'], step: 100 });
  expect(longer).toMatchObject({
    checkpoint: 'checkpoints/epoch_1',
    config: { overrides: ['optimizer.lr=0.2', 'epochs=5', 'trainer.save_last_k=4'] },
  });
  expect(longer.config?.configYaml).toContain('lr: 0.2');
  expect(longer.config?.resolvedYaml).toMatch(/trainer:\n {2}epochs: 5/);
  expect(longer.config?.configYaml).toMatch(/trainer:\n {2}epochs: \$\{epochs\}/);
});

test.each([
  { id: 'another rate', override: 'optimizer.lr=1' },
  { id: 'another group option', override: 'optimizer=sgd' },
  { id: 'a new key', override: '+model.width=3' },
  { id: 'a key taken away', override: '~optimizer.lr' },
])('what would be another training is refused, and the way to it named: $id', ({ override }) => {
  const { run } = setUp();
  expect(() => checkResumeOverrides(run, ['epochs=5', override], 100)).toThrow(
    expect.objectContaining({
      code: 'runs.resume-override',
      message: expect.stringContaining(`accelhydra runs branch ${run.id} --step 100 epochs=5`),
    }),
  );
});

test('a run that is done says how to get more', () => {
  const { project, store, run } = setUp([['epoch', 'checkpoints/epoch_3', 3, 300]]);
  expect(() => goOnRequest(project, store, run, { overrides: [] })).toThrow(/3 of 3 epochs.*runs resume .* epochs=6/);
  // somebody's script gives the same command until the training is done
  expect(goOnRequest(project, store, run, { overrides: [], isAutomatic: true }).checkpoint).toBe('checkpoints/epoch_3');
});

test('a branch has a folder of its own, its parent on record, and values on top of the saved config', () => {
  const { project, store, run, root } = setUp();
  writeFileSync(join(root, 'configs', 'optimizer', 'adam.yaml'), 'lr: 77\n');
  const plan = { processes: [], mixedPrecision: 'no', maxRestarts: 0 } as const;
  const checkpoint = chooseCheckpoint(store, run, { step: 150 });
  const start = (overrides: string[]) =>
    branchRequest(project, { run, checkpoint, overrides, plan: { ...plan, processes: [] }, devices: [] });
  const branch = start(['optimizer.betas=[0.8,0.9]']);
  expect(branch).toMatchObject({
    expDir: join(root, 'experiments', 'line-2'),
    name: 'line-2',
    resumeFrom: join(run.expDir, 'ckpt_step_150'),
    parent: { runId: run.id, name: 'line', checkpoint: 'ckpt_step_150', step: 150 },
    overrides: ['optimizer.lr=0.2', 'optimizer.betas=[0.8,0.9]', 'exp_dir=experiments/line-2'],
    command: `accelhydra runs branch ${run.id} --step 150 'optimizer.betas=[0.8,0.9]'`,
  });
  expect(branch.resolvedYaml).toContain('project_dir: experiments/line-2');
  expect(branch.resolvedYaml).toMatch(/lr: 0\.2\n {2}betas:\n {2}- 0\.8/);
  expect(() => start([`exp_dir=${run.expDir}`])).toThrow(expect.objectContaining({ code: 'launch.folder-taken' }));
  expect(start(['exp_name=other'])).toMatchObject({ expDir: join(root, 'experiments', 'other'), name: 'other' });
  mkdirSync(join(root, 'experiments', 'taken'));
  writeFileSync(join(root, 'experiments', 'taken', 'note.txt'), '');
  expect(start(['exp_name=taken']).expDir).toBe(join(root, 'experiments', 'taken-2'));
  expect(() => start(['optimizer=sgd'])).toThrow(expect.objectContaining({ code: 'runs.branch-group' }));
  expect(() => start(['optimizer.lrr=1'])).toThrow(/lrr/);
  // as long as the files compose to what the run began with, a group's option can be chosen
  writeFileSync(join(root, 'configs', 'optimizer', 'adam.yaml'), configs['optimizer/adam.yaml'] ?? '');
  expect(start(['optimizer=sgd']).configYaml).toMatch(/optimizer:\n {2}lr: 0\.2\n {2}momentum: 0\.9/);
});

test.each([
  { id: 'a checkpoint', path: 'experiments/line/checkpoints/epoch_1', wish: { checkpoint: 'checkpoints/epoch_1' } },
  { id: 'a permanent one', path: 'experiments/line/ckpt_step_150', wish: { checkpoint: 'ckpt_step_150' } },
  { id: 'a run', path: 'experiments/line', wish: {} },
])('an explicit path goes on with its run, with the new logging_config: $id', ({ path, wish }) => {
  const { project, store, run, request } = setUp();
  const overrides = [
    'optimizer.lr=0.2',
    `trainer.resume_from_checkpoint=${path}`,
    'trainer.logging_config.report_to=tensorboard',
  ];
  const resume = launchResume(project, request(...overrides), store);
  expect(resume).toMatchObject({ kind: 'run', run: { id: run.id }, wish, isAutomatic: false });
  expect(resume?.kind === 'run' && resume.overrides).toEqual(['trainer.logging_config.report_to=tensorboard']);
  const { config } = goOnRequest(project, store, run, { ...wish, overrides: [], logging: resume?.logging });
  expect(config?.configYaml).toMatch(/logging_config:\n {4}report_to: tensorboard/);
  expect(config?.configYaml).toContain('lr: 0.2');
});

test.each(['auto_resume_from_latest_ckpt', 'auto_reusme_from_latest_ckpt', 'trainer.auto_reusme_from_latest_ckpt'])(
  '%s goes on with the run in exp_dir, and begins where there is none',
  (key) => {
    const { project, store, run, request } = setUp();
    expect(launchResume(project, request(`+${key}=true`), store)).toMatchObject({
      kind: 'run',
      run: { id: run.id },
      wish: {},
      isAutomatic: true,
    });
    expect(launchResume(project, request(`+${key}=true`, 'exp_name=other'), store)).toBeUndefined();
    expect(launchResume(project, request(`+${key}=false`), store)).toBeUndefined();
  },
);

test('another saved config, or a checkpoint that is no run’s here, begins a new run with that config', () => {
  const { project, store, request, root } = setUp();
  writeFileSync(
    join(root, 'saved.yaml'),
    'exp_dir: experiments/kept\nepochs: 9\ntrainer: {epochs: 9, checkpoint_dir: kept/line}\n',
  );
  const path = 'trainer.resume_from_checkpoint=experiments/line/checkpoints/epoch_1';
  const named = request(path, 'trainer.resume_from_config=saved.yaml', 'epochs=12');
  const resume = launchResume(project, named, store);
  expect(resume).toMatchObject({ kind: 'saved', configFile: join(root, 'saved.yaml') });
  if (resume?.kind !== 'saved') throw new Error('not a saved config');
  expect(composeForSaved(project, named, resume).textAt('epochs')).toBe('12');
  // where the original's checkpoints lie, it gets a folder beside, unless it is told another
  const place = (...more: string[]) => {
    const { composition, warnings } = prepareSaved(project, request(...named.overrides, ...more), [], resume);
    return [
      composition.textAt('trainer.checkpoint_dir'),
      warnings.filter((text) => /^Checkpoints go to/.test(text)).length,
    ];
  };
  expect(place()).toEqual(['kept/line', 0]);
  mkdirSync(join(root, 'kept/line/best'), { recursive: true });
  expect(place()).toEqual(['kept/line-2', 1]);
  expect(place('trainer.checkpoint_dir=kept/line')).toEqual(['kept/line', 0]);
  const refused = { ...named, overrides: [...named.overrides, 'optimizer.lr=3'] };
  expect(() => composeForSaved(project, refused, resume)).toThrow(
    expect.objectContaining({ code: 'runs.resume-override' }),
  );
  expect(() =>
    launchResume(project, request('trainer.resume_from_checkpoint=elsewhere/checkpoints/epoch_1'), store),
  ).toThrow(expect.objectContaining({ code: 'checkpoints.not-found' }));
});
