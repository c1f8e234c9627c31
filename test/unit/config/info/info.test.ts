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
    const rule = '-'.repeat('| Provider | Search path      |'.length);
    expect(infoText(request, 'searchpath')).toBe(
      [
        '',
        'Config search path',
        '******************',
        '| Provider | Search path      |',
        rule,
        '| hydra    | pkg://hydra.conf |',
        '| main     | memory://conf    |',
        '| schema   | structured://    |',
        rule,
        '',
      ].join('\n'),
    );
  });

  test('shows who includes whom', () => {
    const tree = infoText(request, 'defaults-tree');
    expect(tree).toMatch(/^\nDefaults Tree\n\*{13}\n<root>:\n {2}hydra\/config:\n {4}hydra\/output: default\n/);
    expect(tree).toContain('    hydra/callbacks: null\n');
    expect(tree).toMatch(/ {2}config:\n {4}model: mlp\n {4}_self_\n$/);
  });

  test('shows the final list', () => {
    const rows = infoText({ ...request, overrides: ['~model'] }, 'defaults').split('\n');
    expect(rows.find((row) => row.startsWith('| config '))).toMatch(/^\| config +\| +\| True +\| <root> +\|$/);
    expect(rows.some((row) => row.includes('model/mlp'))).toBe(false);
  });

  test('the header of the list ends in a blank, as Hydra prints it', () => {
    const [, title, stars, header, rule, row] = infoText(request, 'defaults').split('\n');
    expect([title, stars]).toEqual(['Defaults List', '*************']);
    expect(header).toMatch(/^\| Config path +\| Package +\| _self_ \| Parent +\| $/);
    expect(rule).toBe('-'.repeat(header?.length ?? 0));
    expect(row?.length).toBe((header?.length ?? 0) - 1);
  });

  test('config is everything, all names the version before', () => {
    const config = infoText(request, 'config');
    expect(config).toBe(
      `${infoText(request, 'searchpath')}${infoText(request, 'defaults-tree')}${infoText(request, 'defaults')}` +
        'Config\n******\nmodel:\n  depth: 2\nlr: ${model.depth}\n\n',
    );
    expect(infoText(request, 'all')).toMatch(/^Hydra 1\.4\S*\n=+\n\nConfig search path\n/);
    expect(infoText(request, 'all').endsWith(config)).toBe(true);
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

  test('what only a job has stays open when Hydra’s node is resolved', () => {
    const text = configText(composition, { part: 'hydra', resolve: true });
    expect(text).toContain('  sweep:\n    dir: multirun/');
    expect(text).toContain('    subdir: ???\n');
    expect(configText(composition, { part: 'all', resolve: true })).toContain('    subdir: ???\n');
  });

  test('Hydra’s node alone has no key of the job', () => {
    expect(configText(composition, { part: 'hydra' })).toMatch(/^hydra:\n/);
    expect(configText(composition, { part: 'hydra' })).not.toMatch(/^model:/m);
    expect(() => configText(composition, { part: 'hydra', package: 'model' })).toThrow('not found');
  });

  test('its help texts are only in the whole, as in Hydra', () => {
    expect(configText(composition, { part: 'all' })).toMatch(/^ {2}help:\n/m);
    expect(configText(composition, { part: 'hydra' })).not.toMatch(/^ {2}(?:hydra_)?help:/m);
    expect(configText(composition, { part: 'hydra', resolve: true })).not.toMatch(/^ {2}(?:hydra_)?help:/m);
    expect(configText(composition, { part: 'all' })).toMatch(/^ {2}help:\n/m);
  });

  test('a package that is not there is refused', () => {
    expect(() => configText(composition, { part: 'job', package: 'nope' })).toThrow(
      "package 'nope' not found in config",
    );
  });
});
