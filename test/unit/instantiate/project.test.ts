import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configNames, findProjectRoot, initProject, loadProject } from '../../../engine/instantiate/index.ts';

const REPOSITORY = fileURLToPath(new URL('../../../', import.meta.url));
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'accelhydra-project-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
}

function errorOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('a project folder', () => {
  test('without a project file has the defaults', () => {
    write({ 'configs/train.yaml': '', 'configs/inference.yaml': '', 'configs/model/a.yaml': '', 'resolvers.ts': '' });
    const project = loadProject(root);
    expect(project).toMatchObject({
      root,
      configDir: join(root, 'configs'),
      sourceRoots: [root],
      defaultConfig: 'train',
      inferenceConfig: 'inference',
      trustedNpm: [],
      resolversModule: join(root, 'resolvers.ts'),
    });
    expect(configNames(project)).toEqual(['inference', 'train']);
  });

  test('with one has what it says', () => {
    write({
      'accelhydra.yaml':
        'name: digits\nconfig_dir: conf\nsource_roots: [src, lib]\ndefault_config: main\ntrusted_npm: [pkg]\nresolvers: src/own.ts\n',
      'conf/main.yaml': '',
      'src/own.ts': '',
      'lib/a.ts': '',
    });
    expect(loadProject(root)).toEqual({
      root,
      name: 'digits',
      configDir: join(root, 'conf'),
      sourceRoots: [join(root, 'src'), join(root, 'lib')],
      defaultConfig: 'main',
      inferenceConfig: undefined,
      trustedNpm: ['pkg'],
      resolversModule: join(root, 'src/own.ts'),
    });
  });

  test('is found from below', () => {
    write({ 'configs/train.yaml': '', 'src/deep/a.ts': '' });
    expect(findProjectRoot(join(root, 'src/deep'))).toBe(root);
  });

  test.each([
    { id: 'no configs', files: { 'conf/train.yaml': '' }, code: 'project.not-found', says: "write 'config_dir: conf'" },
    {
      id: 'an unknown key',
      files: { 'configs/train.yaml': '', 'accelhydra.yaml': 'name: a\nsource_root: [.]\n' },
      code: 'project.file-invalid',
      says: "accelhydra.yaml:2:1: unknown key 'source_root'. Did you mean 'source_roots'?",
    },
    {
      id: 'a wrong type',
      files: { 'configs/train.yaml': '', 'accelhydra.yaml': '\nsource_roots: src\n' },
      code: 'project.file-invalid',
      says: 'accelhydra.yaml:2:1: source_roots:',
    },
    {
      id: 'broken YAML',
      files: { 'configs/train.yaml': '', 'accelhydra.yaml': 'name: [a\n' },
      code: 'project.file-invalid',
      says: 'accelhydra.yaml:',
    },
    {
      id: 'a source root that is not there',
      files: { 'configs/train.yaml': '', 'accelhydra.yaml': 'source_roots: [src]\n' },
      code: 'project.file-invalid',
      says: 'which is no folder',
    },
    {
      id: 'a resolvers module that is not there',
      files: { 'configs/train.yaml': '', 'accelhydra.yaml': 'resolvers: own.ts\n' },
      code: 'project.file-invalid',
      says: "names the resolvers module 'own.ts'",
    },
  ])('with $id is refused', ({ files, code, says }) => {
    write(files);
    expect(errorOf(() => loadProject(root))).toMatchObject({ code, message: expect.stringContaining(says) });
  });

  test('that does not exist is refused', () => {
    expect(errorOf(() => loadProject(join(root, 'nowhere')))).toMatchObject({ code: 'project.not-found' });
  });
});

test('this repository is a project: its own sample', () => {
  const project = loadProject(REPOSITORY);
  expect(project).toMatchObject({ name: 'mnist', inferenceConfig: 'inference' });
  expect(configNames(project)).toEqual(['basic', 'inference', 'train']);
});

describe('a project from a template', () => {
  test('is complete, with its own project file', () => {
    const made = initProject(join(root, 'new'), 'mnist');
    const project = loadProject(made.root);
    expect(project).toMatchObject({
      name: 'mnist',
      sourceRoots: [made.root],
      resolversModule: join(made.root, 'resolvers.ts'),
    });
    expect(existsSync(join(made.root, 'configs/model/backbone/cnn.yaml'))).toBe(true);
    expect(existsSync(join(made.root, 'models/cnn.ts'))).toBe(true);
    expect(made.files).toContain('models/cnn.ts');
  });

  test('never overwrites: one file in the way, and nothing is written', () => {
    write({ 'models/cnn.ts': 'mine' });
    expect(errorOf(() => initProject(root, 'mnist'))).toMatchObject({
      code: 'project.exists',
      details: { existing: ['models/cnn.ts'] },
    });
    expect(readFileSync(join(root, 'models/cnn.ts'), 'utf8')).toBe('mine');
    expect(existsSync(join(root, 'configs'))).toBe(false);
  });

  test('leaves other files alone', () => {
    write({ 'README.md': 'mine' });
    initProject(root, 'mnist');
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toBe('mine');
  });

  test('of an unknown template is refused', () => {
    expect(errorOf(() => initProject(root, 'minst'))).toMatchObject({
      message: expect.stringContaining("Did you mean 'mnist'?"),
    });
  });
});
