import { describe, expect, test } from 'vitest';
import { compose } from '../../../../engine/config/compose/compose.ts';
import { MemorySource } from '../../../../engine/config/compose/memorySource.ts';
import { describeExplanation, explain, explainAll } from '../../../../engine/config/explain/explain.ts';
import type { DictNode } from '../../../../engine/config/node/node.ts';
import { toYaml } from '../../../../engine/config/yaml/emit/toYaml.ts';

const FILES: Readonly<Record<string, string>> = {
  'config.yaml':
    'defaults:\n  - model: vit\n  - tune\n  - _self_\nmodel:\n  depth: 24\nlr: ${optimizer.lr}\noptimizer:\n  lr: ${base_lr}\nbase_lr: 0.5\nname: x_${model.depth}_${oc.env:USER}\n',
  'model/vit.yaml': 'depth: 12\nheads: 3\nbetas: [1, 2]\n',
  'tune.yaml': 'model:\n  depth: 18\n  betas: [3, 4]\n',
};

const composition = compose({
  searchPath: [new MemorySource(FILES, { displayPrefix: 'conf/' })],
  configName: 'config',
  overrides: ['model.depth=48', '+model.extra={a:1}', 'model.heads=4', 'model.heads=5'],
  env: { USER: 'me' },
});

function given(path: string) {
  const { winner, beaten } = explain(composition, path);
  return [winner, ...beaten].map(({ text, where }) => `${text} ${where}`);
}

describe('blame with the losers', () => {
  test.each([
    {
      path: 'model.depth',
      values: [
        '48 override 1 (model.depth=48)',
        '24 conf/config.yaml:6:10',
        '18 conf/tune.yaml:2:10',
        '12 conf/model/vit.yaml:1:8',
      ],
    },
    {
      path: 'model.heads',
      values: ['5 override 4 (model.heads=5)', '4 override 3 (model.heads=4)', '3 conf/model/vit.yaml:2:8'],
    },
    { path: 'model.extra.a', values: ['1 override 2 (+model.extra={a:1})'] },
    { path: 'model.betas.1', values: ['4 conf/tune.yaml:3:14', '2 conf/model/vit.yaml:3:12'] },
    { path: 'base_lr', values: ['0.5 conf/config.yaml:10:10'] },
  ])('$path', ({ path, values }) => {
    expect(given(path)).toEqual(values);
  });

  test('tells which entry brought the file', () => {
    const [, loser] = explain(composition, 'model.heads').beaten;
    expect(loser?.included.map(({ config }) => config)).toEqual(['config', 'model/vit']);
  });

  test('follows an interpolation to its root', () => {
    expect(explain(composition, 'lr').trail.map(({ depth, text, path }) => [depth, text, path])).toEqual([
      [1, '${optimizer.lr}', 'optimizer.lr'],
      [2, '${base_lr}', 'base_lr'],
    ]);
    expect(explain(composition, 'name').trail.map(({ text, path }) => [text, path])).toEqual([
      ['${model.depth}', 'model.depth'],
      ['${oc.env:USER}', undefined],
    ]);
  });

  test('reads as lines', () => {
    expect(describeExplanation(explain(composition, 'optimizer.lr'))).toBe(
      [
        'optimizer.lr = ${base_lr}',
        '  set in  conf/config.yaml:9:7',
        '  ${base_lr} → base_lr = 0.5  (conf/config.yaml:10:10)',
        '',
      ].join('\n'),
    );
  });

  test('an interpolation is shown as it is written', () => {
    expect(describeExplanation(explain(composition, 'name'))).toMatch(
      /^name = x_\$\{model\.depth\}_\$\{oc\.env:USER\}\n/,
    );
  });

  test('an unknown path is refused with what was probably meant', () => {
    expect(() => explain(composition, 'model.dept')).toThrow("'model' has no key 'dept'. Did you mean 'model.depth'?");
  });

  test('of every leaf it says the same as of one, also as JSON', () => {
    for (const [path, all] of explainAll(composition)) {
      const one = explain(composition, path);
      expect([path, all.winner, all.beaten, all.trail]).toEqual([one.path, one.winner, one.beaten, one.trail]);
    }
    const json = JSON.parse(JSON.stringify(explainAll(composition).get('lr'))) as Record<string, unknown>;
    expect(Object.keys(json)).toEqual(['path', 'winner', 'beaten', 'trail']);
    expect(json.trail).toMatchObject([{ path: 'optimizer.lr' }, { path: 'base_lr' }]);
  });

  test('knows every leaf', () => {
    const all = explainAll(composition);
    expect([...all.keys()]).toEqual([
      'model.depth',
      'model.heads',
      'model.betas[0]',
      'model.betas[1]',
      'model.extra.a',
      'lr',
      'optimizer.lr',
      'base_lr',
      'name',
    ]);
    for (const { winner } of all.values()) expect(winner.origin).toBeDefined();
  });

  test('Hydra’s own values are explained too', () => {
    expect(explain(composition, 'hydra.job.chdir').winner.where).toMatch(/^hydra:hydra\/config\.yaml:/);
  });

  test('composing without it gives the same config and remembers neither places nor losers', () => {
    const bare = compose({ ...composition.request, provenance: false });
    expect(toYaml(bare.withHydra)).toBe(toYaml(composition.withHydra));
    const [node, known] = [bare.config, composition.config].map((config) => config.get('lr'));
    expect([known?.origin?.kind, node?.origin]).toEqual(['file', undefined]);
    const [heads, knownHeads] = [bare.config, composition.config].map((config) => explainedNode(config));
    expect([knownHeads?.beat?.kind, heads?.beat]).toEqual(['list', undefined]);
  });
});

function explainedNode(config: DictNode) {
  const model = config.get('model');
  return model?.kind === 'dict' ? model.get('betas') : undefined;
}
