import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { serveProject } from './realEngine.ts';
import { transports } from './transports.ts';

describe.each(transports)('projects over $id', (transport) => {
  test('the open project is described; its code is not trusted', async () => {
    const { api, root } = await serveProject(transport);
    expect(await api['project.current']({})).toEqual({
      root,
      name: 'tiny',
      configDir: join(root, 'configs'),
      configNames: ['needs_value', 'train'],
      defaultConfig: 'train',
      inferenceConfig: undefined,
      sourceRoots: [root],
      trusted: false,
    });
    expect(readFileSync(join(root, '.accelhydra', '.gitignore'), 'utf8')).toBe('*\n');
  });

  test('nothing of a project runs before it is trusted', async () => {
    const { api, root, events } = await serveProject(transport);
    await expect(api['launch.start']({ configName: 'train', overrides: [] })).rejects.toMatchObject({
      code: 'project.not-trusted',
    });
    expect(existsSync(join(root, 'experiments'))).toBe(false);
    expect(await api['project.trust']({ trusted: true })).toMatchObject({ trusted: true });
    await expect.poll(() => events).toContainEqual({ type: 'project.changed' });
  });

  test('an engine without a project starts and says why', async () => {
    const { api, root } = await serveProject(transport, { projectDir: '/nowhere/at/all' });
    await expect(api['project.current']({})).rejects.toMatchObject({ code: 'project.not-found' });
    expect(await api['settings.get']({})).toMatchObject({ theme: 'system' });
    expect(await api['project.open']({ root })).toMatchObject({ name: 'tiny' });
    expect(await api['project.current']({})).toMatchObject({ name: 'tiny' });
    expect(await api['project.recent']({})).toMatchObject([{ root, name: 'tiny', missing: false }]);
  });

  test('a folder that is no project leaves the open one open', async () => {
    const { api, root } = await serveProject(transport);
    const empty = join(root, '..', 'empty');
    mkdirSync(empty);
    await expect(api['project.open']({ root: empty })).rejects.toMatchObject({ code: 'project.not-found' });
    expect(await api['runs.list']({})).toMatchObject({ total: 0 });
    expect(await api['project.current']({})).toMatchObject({ root });
  });

  test('a project is created from a template, trusted, and never over another', async () => {
    const { api, root } = await serveProject(transport);
    const folder = join(root, '..', 'new');
    const created = await api['project.create']({ root: folder, template: 'mnist' });
    expect(created).toMatchObject({ root: folder, trusted: true, defaultConfig: 'train' });
    await expect(api['project.create']({ root: folder, template: 'mnist' })).rejects.toMatchObject({
      code: 'project.exists',
    });
    await expect(api['project.create']({ root: `${folder}2`, template: 'mnits' })).rejects.toThrow(
      /Did you mean 'mnist'/,
    );
  });

  test('settings are kept and announced', async () => {
    const { api, events } = await serveProject(transport);
    expect(await api['settings.update']({ theme: 'dark' })).toEqual({ theme: 'dark', chartSmoothing: 0 });
    await expect.poll(() => events).toContainEqual({ type: 'settings.changed' });
    await expect(api['settings.update']({ chartSmoothing: 2 })).rejects.toMatchObject({ code: 'api.invalid-input' });
  });

  test('a launch is previewed: devices, folder, command', async () => {
    const { api, root } = await serveProject(transport);
    expect(await api['launch.files']({})).toEqual(['configs/accelerate/two.yaml']);
    const preview = await api['launch.preview']({
      configName: 'train',
      overrides: ['epochs=1'],
      launchFile: 'configs/accelerate/two.yaml',
    });
    expect(preview).toMatchObject({
      command: 'accelhydra train --config_file configs/accelerate/two.yaml epochs=1',
      processes: [
        { rank: 0, device: 'cpu' },
        { rank: 1, device: 'cpu' },
      ],
      expDir: join(root, 'experiments', 'tiny'),
      problems: [],
    });
  });

  test('a folder in use gets a number, unless an override names it', async () => {
    const { api, root } = await serveProject(transport);
    mkdirSync(join(root, 'experiments', 'tiny'), { recursive: true });
    writeFileSync(join(root, 'experiments', 'tiny', 'config.yaml'), '');
    const request = { configName: 'train', overrides: [], useCpu: true };
    expect(await api['launch.preview'](request)).toMatchObject({
      expDir: join(root, 'experiments', 'tiny-2'),
      command: 'accelhydra train --use_cpu exp_dir=experiments/tiny-2',
    });
    const named = { ...request, overrides: ['exp_dir=experiments/tiny'] };
    expect((await api['launch.preview'](named)).problems[0]).toContain('experiments/tiny');
  });

  test.each([
    { id: 'a missing value', request: { configName: 'needs_value', overrides: [] }, says: 'data.path' },
    { id: 'a config that does not compose', request: { configName: 'train', overrides: ['epoch=1'] }, says: 'epoch' },
    {
      id: 'no such launch file',
      request: { configName: 'train', overrides: [], launchFile: 'none.yaml' },
      says: 'none.yaml',
    },
    { id: 'a section that is missing', request: { configName: 'train', overrides: ['~trainer'] }, says: '~trainer' },
    { id: 'a GPU that is not there', request: { configName: 'train', overrides: [], gpuIds: '7' }, says: '7' },
  ])('$id is a problem before the start', async ({ request, says }) => {
    const { api } = await serveProject(transport);
    const { problems } = await api['launch.preview'](request);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(says);
  });
});
