import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { composeProject } from '../../../engine/service/composition.ts';
import { wantedFolder } from '../../../engine/service/runFolder.ts';
import { planSweep } from '../../../engine/service/sweep.ts';

let root: string;
beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'accelhydra-folders-')));
  const files = {
    'plain.yaml': 'exp_dir: experiments/${exp_name}\nexp_name: digits\nlr: 1\nmodel: {depth: 1}\n',
    'own.yaml':
      'hydra: {run: {dir: "runs/${lr}"}, sweep: {dir: "sweeps/x", subdir: "${hydra.job.override_dirname}"}}\nlr: 1\n',
    'both.yaml': 'hydra: {run: {dir: runs/r}}\nexp_dir: mine\n',
    'none.yaml': 'lr: 1\n',
  };
  mkdirSync(join(root, 'configs'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, 'configs', name), text);
  mkdirSync(join(root, 'taken', '0'), { recursive: true });
  writeFileSync(join(root, 'taken', '0', 'config.yaml'), '');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const place = () => ({ root, configDir: join(root, 'configs') });

describe('the folder of a run', () => {
  test.each([
    { id: "the config's exp_dir", configName: 'plain', overrides: [], folder: 'experiments/digits' },
    { id: "the config's hydra.run.dir", configName: 'own', overrides: [], folder: 'runs/1' },
    { id: 'exp_dir before hydra.run.dir', configName: 'both', overrides: [], folder: 'mine' },
    { id: 'an override before the files', configName: 'plain', overrides: ['hydra.run.dir=o/r'], folder: 'o/r' },
    { id: 'exp_dir of two overrides', configName: 'both', overrides: ['hydra.run.dir=r', 'exp_dir=e'], folder: 'e' },
    { id: "not Hydra's own default", configName: 'none', overrides: [], folder: 'experiments/none' },
  ])('$id', ({ configName, overrides, folder }) => {
    expect(wantedFolder(place(), composeProject(place(), { configName, overrides }))).toBe(join(root, folder));
  });

  test('${hydra:runtime.output_dir} is the folder, where it is known', () => {
    const request = { configName: 'none', overrides: ['+out="${hydra:runtime.output_dir}/x"'], outputDir: '/runs/1' };
    expect(composeProject(place(), request).textAt('out')).toBe('/runs/1/x');
  });
});

function folders(configName: string, overrides: readonly string[]): string[] {
  return planSweep(place(), { configName, overrides }).jobs.map(({ folder }) => folder.slice(root.length + 1));
}

describe('the folders of a sweep', () => {
  test("Hydra's own: by date and time, then the job's number", () => {
    expect(folders('plain', ['lr=1,2']).map((folder) => folder.replaceAll(/\d\d+/g, 'N'))).toEqual([
      'multirun/N-N-N/N-N-N/0',
      'multirun/N-N-N/N-N-N/1',
    ]);
  });

  test.each([
    { id: "the config's", configName: 'own', overrides: ['lr=1,2'], gives: ['sweeps/x/lr=1', 'sweeps/x/lr=2'] },
    {
      id: 'those that overrides give',
      configName: 'plain',
      overrides: ['hydra.sweep.dir=s', 'hydra.sweep.subdir=n${hydra.job.num}_${model.depth}', 'model.depth=3,4'],
      gives: ['s/n0_3', 's/n1_4'],
    },
    { id: 'below one exp_dir for all', configName: 'plain', overrides: ['exp_dir=e', 'lr=1,2'], gives: ['e/0', 'e/1'] },
    {
      id: 'an exp_dir for each',
      configName: 'plain',
      overrides: ['exp_dir="e_${lr}"', 'lr=1,2'],
      gives: ['e_1', 'e_2'],
    },
    { id: 'a single job', configName: 'plain', overrides: ['exp_dir=e', 'lr=1'], gives: ['e'] },
  ])('$id', ({ configName, overrides, gives }) => {
    expect(folders(configName, overrides)).toEqual(gives);
  });

  test('a job’s overrides compose to a run that knows its folder, number and what tells it apart', () => {
    const { jobs } = planSweep(place(), { configName: 'own', overrides: ['lr=1,2'] });
    const composition = composeProject(place(), { configName: 'own', overrides: jobs[1]?.all ?? [] });
    expect(composition.textAt('exp_dir')).toBe('sweeps/x/lr=2');
    expect(composition.hydraYaml).toMatch(/^ {4}num: 1$/m);
    expect(composition.hydraYaml).toMatch(/^ {4}override_dirname: lr=2$/m);
  });

  test.each([
    {
      id: 'jobs that would share one',
      overrides: ['lr=1,2', 'hydra.sweep.subdir=same'],
      says: 'Two jobs of the sweep',
    },
    { id: 'one that is taken', overrides: ['lr=1,2', 'hydra.sweep.dir=taken'], says: 'There is something in' },
  ])('refuses $id, before anything starts', ({ overrides, says }) => {
    expect(() => folders('plain', overrides)).toThrow(says);
  });
});
