import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ConfigTreeNode } from '../../engine/api/configModel.ts';
import { serveProject } from './realEngine.ts';
import { transports } from './transports.ts';

function at(tree: ConfigTreeNode, path: string): ConfigTreeNode | undefined {
  if (tree.path === path) return tree;
  for (const child of tree.children ?? []) {
    const found = at(child, path);
    if (found) return found;
  }
  return undefined;
}

describe.each(transports)('configs over $id', (transport) => {
  test('a composition tells values, origins, what was beaten and what overrides changed', async () => {
    const { api } = await serveProject(transport);
    const overrides = ['optimizer.lr=0.5', 'model=large', '+extra=[1,x]'];
    const composed = await api['config.compose']({ configName: 'train', overrides });
    expect(at(composed.tree, 'optimizer.lr')).toEqual({
      path: 'optimizer.lr',
      key: 'lr',
      kind: 'scalar',
      type: 'float',
      text: '0.5',
      origin: { kind: 'override', index: 0, override: 'optimizer.lr=0.5', start: 13, end: 16, text: '0.5' },
      beaten: [{ kind: 'file', file: 'configs/optimizer/sgd.yaml', line: 2, column: 5, text: '0.1' }],
      changed: true,
      before: '0.1',
    });
    expect(at(composed.tree, 'model.size')).toMatchObject({
      text: '64',
      origin: { file: 'configs/model/large.yaml', line: 1 },
      changed: true,
      before: '8',
    });
    expect(at(composed.tree, 'extra')).toMatchObject({ kind: 'list', changed: true });
    expect(at(composed.tree, 'extra[1]')).toMatchObject({ text: 'x', changed: true });
    expect(at(composed.tree, 'epochs')).toMatchObject({ text: '2', type: 'int', changed: false, beaten: [] });
    expect(at(composed.tree, 'layers')).toMatchObject({ changed: false });
    expect(at(composed.tree, 'trainer.lr')).toMatchObject({ type: 'interpolation', resolved: '0.5', changed: false });
    expect(composed.overrides).toEqual([
      { text: 'optimizer.lr=0.5', kind: 'change', key: 'optimizer.lr', isGroup: false },
      { text: 'model=large', kind: 'change', key: 'model', isGroup: true },
      { text: '+extra=[1,x]', kind: 'add', key: 'extra', isGroup: false },
    ]);
    expect(composed.groups).toMatchObject([
      { key: 'accelerate', options: ['notes', 'two'] },
      { key: 'model', options: ['large', 'small'], choice: 'large', before: 'small' },
      { key: 'optimizer', options: ['adam', 'sgd'], choice: 'sgd', before: 'sgd' },
    ]);
    expect(composed.files).toContain('configs/model/large.yaml');
    expect(composed.command).toBe("accelhydra train optimizer.lr=0.5 model=large '+extra=[1,x]'");
    expect(composed.yaml).toContain('exp_dir: experiments/$');
  });

  test('what targets take and what is wrong with what they get, told without running them', async () => {
    const { api } = await serveProject(transport);
    const overrides = ['optimizer=adam', 'optimizer.lr=fast', '+optimizer.wieght_decay=1'];
    const { options, problems } = await api['config.schema']({ configName: 'train', overrides });
    expect(options.find(({ path }) => path === 'optimizer.lr')).toEqual({
      path: 'optimizer.lr',
      target: 'torch.optim.Adam',
      type: 'a number ≥ 0',
      choices: [],
      default: '0.001',
      doc: 'learning rate',
      isRequired: false,
      isSet: true,
    });
    expect(options.find(({ path }) => path === 'optimizer.weight_decay')).toMatchObject({ isSet: false });
    expect(problems).toMatchObject([
      { kind: 'wrong-value', path: 'optimizer.lr', origin: { kind: 'override', index: 1, start: 13, end: 17 } },
      { kind: 'unknown-argument', path: 'optimizer.wieght_decay', origin: { kind: 'override', index: 2 } },
    ]);
    expect(problems[1]?.message).toContain("Did you mean 'weight_decay'?");
    const { text } = await api['config.jsonSchema']({ configName: 'train', overrides: ['optimizer=adam'] });
    expect(JSON.parse(text)).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      properties: { optimizer: { properties: { lr: { default: 0.001 } } } },
    });
  });

  test('a text that YAML would misread is shown with its quotes', async () => {
    const { api } = await serveProject(transport);
    const { tree } = await api['config.compose']({ configName: 'train', overrides: [] });
    expect(at(tree, 'model.name')).toMatchObject({ type: 'str', text: '"yes"' });
  });

  test('what only the project’s own code could resolve is told, and the rest still works', async () => {
    const { api } = await serveProject(transport);
    const composed = await api['config.compose']({ configName: 'train', overrides: [] });
    expect(composed.resolvedYaml).toBeUndefined();
    expect(composed.resolveError).toContain('own_resolver');
    expect(at(composed.tree, 'trainer.scaled')?.resolveError).toContain('own_resolver');
    const without = await api['config.compose']({ configName: 'train', overrides: ['trainer.scaled=1'] });
    expect(without.resolvedYaml).toContain('exp_dir: experiments/tiny');
  });

  test.each([
    { id: 'an unknown key', overrides: ['epoch=3'], says: ['epoch', '+epoch'] },
    { id: 'an unknown option', overrides: ['model=larg'], says: ['larg', 'large'] },
    { id: 'a broken override', overrides: ['a=[1,'], says: ['a=[1,'] },
    { id: 'an unknown config', configName: 'trian', overrides: [], says: ['trian', 'train'] },
  ])('$id is a config error that says what was meant', async ({ overrides, configName = 'train', says }) => {
    const { api } = await serveProject(transport);
    const failure: unknown = await api['config.compose']({ configName, overrides }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: expect.stringMatching(/^config\./) });
    for (const text of says) expect(String(failure)).toContain(text);
  });

  test('missing values are listed', async () => {
    const { api } = await serveProject(transport);
    const composed = await api['config.compose']({ configName: 'needs_value', overrides: [] });
    expect(composed.missing).toEqual(['data.path']);
    expect(at(composed.tree, 'data.path')).toMatchObject({ type: 'missing' });
  });

  test.each([
    { id: 'sets a value', path: 'epochs', value: '3', list: ['epochs=3'] },
    {
      id: 'replaces the override of the same value',
      before: ['epochs=3', '+x=1'],
      path: 'epochs',
      value: '4',
      list: ['+x=1', 'epochs=4'],
    },
    { id: 'drops what the config says anyway', before: ['epochs=3'], path: 'epochs', value: '2', list: [] },
    { id: 'tells 2.0 from 2', path: 'epochs', value: '2.0', list: ['epochs=2.0'] },
    { id: 'adds a new key', path: 'trainer.extra', value: 'hello there', list: ['+trainer.extra=hello\\ there'] },
    { id: 'quotes what the grammar would split', path: 'exp_name', value: 'a, b', list: ['exp_name=a\\,\\ b'] },
    { id: 'writes lists', path: 'layers', value: '[1, 2.5, x]', list: ['layers=[1,2.5,x]'] },
    { id: 'writes a null', path: 'epochs', value: 'null', list: ['epochs=null'] },
    { id: 'deletes', path: 'optimizer.lr', list: ['~optimizer.lr'] },
    { id: 'takes back an addition', before: ['+a=1'], path: 'a', list: [] },
    { id: 'changes one item of a list', path: 'layers[1]', value: '16', list: ['layers.1=16'] },
    { id: 'changes an item again', before: ['layers.1=16'], path: 'layers[1]', value: '32', list: ['layers.1=32'] },
    { id: 'removes one item of a list', before: ['layers=[8,16]'], path: 'layers[0]', list: ['layers=[16]'] },
    { id: 'sets back one item of a list', before: ['layers=[8,16]'], path: 'layers[1]', value: '4', list: [] },
  ])('a click $id', async ({ before = [], path, value, list }) => {
    const { api } = await serveProject(transport);
    const edited = await api['config.overrideFor']({ configName: 'train', overrides: before, path, value });
    expect(edited.overrides).toEqual(list);
    // What the click gives must compose, and say what was meant.
    const { tree } = await api['config.compose']({ configName: 'train', overrides: edited.overrides });
    if (value === undefined && !path.endsWith(']')) expect(at(tree, path)).toBeUndefined();
  });

  test('a click on an item that is not there is refused', async () => {
    const { api } = await serveProject(transport);
    const edit = { configName: 'train', overrides: [], path: 'layers[7]', value: '1' };
    await expect(api['config.overrideFor'](edit)).rejects.toMatchObject({ code: 'config.edit.no-such-item' });
  });

  test.each([
    {
      id: 'a file of the project',
      file: 'configs/model/large.yaml',
      text: 'size: 64\nname: large\n_target_: tiny.Model\n',
    },
    { id: 'a file outside', file: '../settings/settings.yaml', code: 'config.source.outside' },
    { id: 'a file that is no config', file: 'accelhydra.yaml/../../project/secret.txt', code: 'config.source.outside' },
    { id: 'a file that has gone', file: 'configs/none.yaml', code: 'config.source.not-found' },
  ])('the source of $id', async ({ file, text, code }) => {
    const { api } = await serveProject(transport);
    const answer = api['config.source']({ file });
    if (code === undefined) expect(await answer).toEqual({ file, text });
    else await expect(answer).rejects.toMatchObject({ code });
  });

  test('the shortest overrides give the same config, options before values', async () => {
    const { api } = await serveProject(transport);
    const long = ['model.size=64', 'model.name=large', 'epochs=3', 'epochs=2', '++optimizer.lr=0.1', 'exp_name=other'];
    const found = await api['config.shortest']({ configName: 'train', overrides: long });
    expect(found).toEqual({ overrides: ['model=large', 'exp_name=other'], exhaustive: true });
    const [before, after] = await Promise.all(
      [long, found.overrides].map((overrides) => api['config.compose']({ configName: 'train', overrides })),
    );
    expect(after?.yaml).toBe(before?.yaml);
  });

  test('a value is written into the file that sets it, comments and all, once it was shown', async () => {
    const { api, root } = await serveProject(transport);
    const file = join(root, 'configs', 'optimizer', 'sgd.yaml');
    const text = '# how\n_target_: torch.optim.SGD\nlr: 0.1  # rate\n';
    writeFileSync(file, text);
    const overrides = ['epochs=7', 'optimizer.lr=0.5'];
    const request = { configName: 'train', overrides, path: 'optimizer.lr' };
    const edit = {
      file: 'configs/optimizer/sgd.yaml',
      line: 3,
      removed: ['lr: 0.1  # rate'],
      added: ['lr: 0.5  # rate'],
      overrides: ['epochs=7'],
      alsoChanged: [],
    };
    const before = (await api['config.compose']({ configName: 'train', overrides })).yaml;
    expect(await api['config.previewWrite'](request)).toEqual(edit);
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(await api['config.write'](request)).toEqual(edit);
    expect(readFileSync(file, 'utf8')).toBe(text.replace('0.1', '0.5'));
    expect((await api['config.compose']({ configName: 'train', overrides: edit.overrides })).yaml).toBe(before);
    expect(
      await api['config.write']({ configName: 'train', overrides: ['layers=[8,2]'], path: 'layers[1]' }),
    ).toMatchObject({
      file: 'configs/train.yaml',
      removed: ['layers: [8, 4]'],
      added: ['layers: [8, 2]'],
      overrides: [],
    });
  });

  test.each([
    { id: 'a key that no file sets', overrides: ['+extra=1'], path: 'extra', code: 'config.write.no-file' },
    {
      id: 'a part of what an override sets',
      overrides: ['+extra={x: 1}'],
      path: 'extra.x',
      code: 'config.write.no-file',
    },
    { id: 'no key at all', overrides: [], path: 'nothing', code: 'config.write.no-such-key' },
  ])('$id cannot be written to a file', async ({ overrides, path, code }) => {
    const { api } = await serveProject(transport);
    const request = { configName: 'train', overrides, path };
    await expect(api['config.write'](request)).rejects.toMatchObject({ code });
  });

  test('a changed file is told, and composed anew', async () => {
    const { api, root, events } = await serveProject(transport);
    writeFileSync(join(root, 'configs', 'model', 'small.yaml'), 'size: 9\n');
    await expect
      .poll(() => events, { timeout: 5000 })
      .toContainEqual({
        type: 'config.changed',
        files: ['configs/model/small.yaml'],
      });
    const { tree } = await api['config.compose']({ configName: 'train', overrides: [] });
    expect(at(tree, 'model.size')?.text).toBe('9');
  });
});
