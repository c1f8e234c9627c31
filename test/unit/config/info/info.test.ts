import { describe, expect, test } from 'vitest';
import { compose } from '../../../../engine/config/compose/compose.ts';
import { MemorySource } from '../../../../engine/config/compose/memorySource.ts';
import { configText, infoText } from '../../../../engine/config/info/info.ts';

const request = {
  searchPath: [
    new MemorySource(
      { 'config.yaml': 'defaults:\n  - model: mlp\n  - _self_\nlr: ${model.depth}\n', 'model/mlp.yaml': 'depth: 2\n' },
      { url: 'memory://conf' },
    ),
  ],
  configName: 'config',
};

describe('infoText', () => {
  test('lists the search path', () => {
    expect(infoText(request, 'searchpath')).toBe(
      [
        'Config search path',
        '******************',
        '---------------------------------',
        '| Provider | Search path      |',
        '---------------------------------',
        '| hydra    | pkg://hydra.conf |',
        '| main     | memory://conf    |',
        '| schema   | structured://    |',
        '---------------------------------',
        '',
      ]
        .join('\n')
        .replaceAll('---------------------------------', '-'.repeat('| Provider | Search path      |'.length)),
    );
  });

  test('shows who includes whom', () => {
    const tree = infoText(request, 'defaults-tree');
    expect(tree).toMatch(/^Defaults Tree\n\*{13}\n<root>:\n {2}hydra\/config:\n {4}hydra\/output: default\n/);
    expect(tree).toContain('    hydra/callbacks: null\n');
    expect(tree).toMatch(/ {2}config:\n {4}model: mlp\n {4}_self_\n$/);
  });

  test('shows the final list', () => {
    const rows = infoText({ ...request, overrides: ['~model'] }, 'defaults').split('\n');
    expect(rows.find((row) => row.startsWith('| config '))).toMatch(/^\| config +\| +\| True +\| <root> +\|$/);
    expect(rows.some((row) => row.includes('model/mlp'))).toBe(false);
  });

  test('all is everything', () => {
    const all = infoText(request, 'all');
    for (const title of [
      'Config search path',
      'Defaults Tree',
      'Defaults List',
      'Config\n******\nmodel:\n  depth: 2\n',
    ]) {
      expect(all).toContain(title);
    }
  });
});

describe('configText', () => {
  const composition = compose({ ...request, overrides: ['hydra.run.dir=out/${lr}'] });

  test.each([
    { id: 'the job', options: { part: 'job' }, text: 'model:\n  depth: 2\nlr: ${model.depth}\n' },
    { id: 'resolved', options: { part: 'job', resolve: true }, text: 'model:\n  depth: 2\nlr: 2\n' },
    { id: 'a package', options: { part: 'job', package: 'model' }, text: '# @package model\ndepth: 2\n' },
    { id: 'a value', options: { part: 'job', package: 'lr' }, text: '2\n' },
    {
      id: 'a part of Hydra’s node',
      options: { part: 'all', package: 'hydra.run', resolve: true },
      text: '# @package hydra.run\ndir: out/2\n',
    },
  ] as const)('writes $id', ({ options, text }) => {
    expect(configText(composition, options)).toBe(text);
  });

  test('Hydra’s node alone has no key of the job', () => {
    expect(configText(composition, { part: 'hydra' })).toMatch(/^hydra:\n/);
    expect(configText(composition, { part: 'hydra' })).not.toMatch(/^model:/m);
  });

  test('a package that is not there is refused', () => {
    expect(() => configText(composition, { part: 'job', package: 'nope' })).toThrow(
      "package 'nope' not found in config",
    );
  });
});
