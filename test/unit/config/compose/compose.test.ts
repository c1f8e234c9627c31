import { describe, expect, test } from 'vitest';
import { type Composition, compose } from '../../../../engine/config/compose/compose.ts';
import { MemorySource } from '../../../../engine/config/compose/memorySource.ts';
import { ConfigError } from '../../../../engine/config/errors.ts';
import { toPlain } from '../../../../engine/config/node/plain.ts';
import { resolve, select } from '../../../../engine/config/resolve/operations.ts';

const FILES: Readonly<Record<string, string>> = {
  'config.yaml': [
    'defaults:',
    '  - model: mlp',
    '  - optimizer: sgd',
    '  - _self_',
    'seed: 1',
    'name: ${model.name}-${seed}',
    'steps: ???',
    'tags: [a, b]',
    'none: null',
    'copy: ${model}',
  ].join('\n'),
  'model/mlp.yaml': 'name: mlp\ndepth: 2\nlayers: {hidden: 64}\n',
  'model/vit.yaml': 'name: vit\ndepth: 12\nheads: 3\n',
  'optimizer/sgd.yaml': 'lr: 0.1\nmomentum: 0.9\n',
  'optimizer/adam.yaml': 'lr: 0.001\nbetas: [0.9, 0.999]\n',
  'list/items.yaml': '- 1\n- 2\n',
  'toplist.yaml': '- 1\n',
  'own.yaml': 'hydra:\n  run:\n    dir: runs/${name}\n  job:\n    name: mine\nname: x\n',
  'typed.yaml': 'hydra:\n  job:\n    chdir: maybe\n',
  'proto.yaml': '__proto__: 1\nconstructor: 2\nnested: {__proto__: {polluted: true}}\n',
};

function composed(configName: string | undefined, overrides: readonly string[] = [], more: object = {}): Composition {
  return compose({ searchPath: [new MemorySource(FILES)], configName, overrides, env: {}, ...more });
}

function plain(configName: string, overrides: readonly string[] = []): unknown {
  return JSON.parse(JSON.stringify(toPlain(composed(configName, overrides).config)));
}

describe('values', () => {
  test('merges the defaults list and leaves interpolations as they are', () => {
    expect(plain('config')).toEqual({
      model: { name: 'mlp', depth: 2, layers: { hidden: 64 } },
      optimizer: { lr: 0.1, momentum: 0.9 },
      seed: 1,
      name: '${model.name}-${seed}',
      steps: '???',
      tags: ['a', 'b'],
      none: null,
      copy: '${model}',
    });
  });

  test.each([
    { id: 'a value', overrides: ['seed=7'], path: 'seed', value: 7 },
    {
      id: 'an option and a value in it',
      overrides: ['model=vit', 'model.heads=4'],
      path: 'model',
      value: { name: 'vit', depth: 12, heads: 4 },
    },
    { id: 'a new key', overrides: ['+model.dropout=0.5'], path: 'model.dropout', value: 0.5 },
    { id: 'a key that may or may not be there', overrides: ['++a.b=1', '++seed=3'], path: 'a', value: { b: 1 } },
    { id: 'a list item', overrides: ['tags.0=z'], path: 'tags', value: ['z', 'b'] },
    { id: 'more list items', overrides: ['tags=extend_list(c)'], path: 'tags', value: ['a', 'b', 'c'] },
    { id: 'a deleted key', overrides: ['~model.layers'], path: 'model', value: { name: 'mlp', depth: 2 } },
    { id: 'a deleted list item', overrides: ['~tags.0'], path: 'tags', value: ['b'] },
    { id: 'a merged mapping', overrides: ['model={depth:3}'], path: 'model.depth', value: 3 },
    { id: 'a missing value filled with +', overrides: ['+steps=5'], path: 'steps', value: 5 },
    { id: 'a list in a package of its own', overrides: ['+list=items'], path: 'list', value: [1, 2] },
    {
      id: 'an interpolated container, changed where it stands',
      overrides: ['copy.depth=9'],
      path: 'model.depth',
      value: 9,
    },
  ])('takes $id', ({ overrides, path, value }) => {
    const { config, context } = composed('config', overrides);
    const node = select(config, path, context);
    expect(node === undefined ? undefined : JSON.parse(JSON.stringify(toPlain(node)))).toEqual(value);
  });

  test('strict: false lets overrides add keys', () => {
    expect(toPlain(composed('config', ['brand.new=1'], { strict: false }).config)).toMatchObject({ brand: { new: 1 } });
  });

  test('__proto__ and constructor are keys like others', () => {
    const { config } = composed('proto', ['+constructor.x=1', '+a.__proto__.polluted=true']);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    expect([...config.keys()]).toEqual(['__proto__', 'constructor', 'nested', 'a']);
  });

  test('a composition does not change what the next one reads', () => {
    composed('config', ['model.depth=99', 'tags=extend_list(z)', '~optimizer.lr']);
    expect(plain('config')).toMatchObject({ model: { depth: 2 }, tags: ['a', 'b'], optimizer: { lr: 0.1 } });
  });
});

describe('errors of overrides', () => {
  test.each([
    {
      id: 'an unknown key',
      overrides: ['optimizer.momentun=1'],
      message: "Could not override 'optimizer.momentun'.\nTo append to your config use +optimizer.momentun=1",
      told: "Did you mean 'optimizer.momentum'?",
    },
    {
      id: 'an addition to what is there',
      overrides: ['+seed=1'],
      message: "Could not append to config. An item is already at 'seed'.",
      told: "'++seed=1'",
    },
    {
      id: 'a wrong deletion',
      overrides: ['~seed=2'],
      message: "Could not delete from config. The value of 'seed' is 1 and not 2.",
      told: 'override 1 (~seed=2)',
    },
    {
      id: 'a deletion of nothing',
      overrides: ['~sed'],
      message: "Could not delete from config. 'sed' does not exist.",
      told: "Did you mean 'seed'?",
    },
    {
      id: 'a list for a mapping',
      overrides: ['model.layers=[1]'],
      message: 'Error merging override model.layers=[1]',
      told: 'Cannot merge incompatible container types',
    },
    {
      id: 'an index beyond the end',
      overrides: ['tags.7=x'],
      message: 'Error merging override tags.7=x',
      told: 'list index out of range',
    },
    {
      id: 'a package where no group is',
      overrides: ['modle@a=b'],
      message: 'Override modle@a=b looks like a config group override',
      told: "Did you mean 'model'?",
    },
    {
      id: 'a typed field of Hydra',
      overrides: ['hydra.job.chdir=null'],
      message: 'Error merging override hydra.job.chdir=null',
      told: "field 'hydra.job.chdir' is not Optional",
    },
  ])('tells $id', ({ overrides, message, told }) => {
    const failure = failureOf('config', overrides);
    expect(failure.message.startsWith(message)).toBe(true);
    expect(failure.describe()).toContain(told);
  });

  test.each([
    { config: 'toplist', message: "primary config 'toplist' must be a DictConfig, got ListConfig" },
    { config: 'typed', message: "In 'typed': ValidationError raised while composing config:" },
  ])('tells what is wrong with $config', ({ config, message }) => {
    expect(failureOf(config, []).message.startsWith(message)).toBe(true);
  });
});

function failureOf(config: string, overrides: readonly string[]): ConfigError {
  try {
    composed(config, overrides);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the composition did not fail');
}

describe('Hydra’s node', () => {
  const clock = { now: () => new Date(2024, 1, 3, 4, 5, 6).getTime() };

  test('is not in the config, knows overrides and choices, and is conformed to its types', () => {
    const composition = composed('own', ['hydra.job.num=3', '+model=vit', 'hydra.output_subdir=null'], {
      cwd: '/w',
      clock,
    });
    expect(composition.config.has('hydra')).toBe(false);
    expect(JSON.parse(JSON.stringify(toPlain(composition.hydra)))).toMatchObject({
      run: { dir: 'runs/${name}' },
      output_subdir: null,
      overrides: { hydra: ['hydra.job.num=3', 'hydra.output_subdir=null'], task: ['+model=vit'] },
      job: { name: 'mine', num: 3, config_name: 'own', override_dirname: '+model=vit', chdir: false },
      runtime: { cwd: '/w', version_base: '1.4', choices: { model: 'vit', 'hydra/launcher': 'basic' } },
    });
    const value = (path: string) => {
      const node = select(composition.withHydra, path, composition.context);
      return node === undefined ? undefined : toPlain(node);
    };
    expect(value('hydra.run.dir')).toBe('runs/x');
    expect(value('hydra.sweep.dir')).toBe('multirun/2024-02-03/04-05-06');
  });

  test('${hydra:…} and ${now:…} work in the job’s config', () => {
    const composition = composed(
      'config',
      ['+at=${now:%Y/%m}', '+job=${hydra:job.name}', '+m=${hydra:runtime.choices.model}'],
      { clock },
    );
    expect(toPlain(resolve(composition.config, composition.context))).toMatchObject({
      at: '2024/02',
      job: 'config',
      m: 'mlp',
    });
  });

  test.each(['disabled', 'none', 'default', 'colorlog'])('hydra/job_logging=%s is an option', (option) => {
    const { choices } = composed('config', [`hydra/job_logging=${option}`, `hydra/hydra_logging=${option}`]);
    expect(choices.get('hydra/job_logging')).toBe(option);
  });

  test('copies environment variables that the job asks for, and says when one is not set', () => {
    const { hydra } = composed('config', ['hydra.job.env_copy=[TOKEN]'], { env: { TOKEN: 't' } });
    expect(toPlain(hydra)).toMatchObject({ job: { env_set: { TOKEN: 't' } } });
    expect(() => composed('config', ['hydra.job.env_copy=[TOKEN]'])).toThrow("'TOKEN'");
  });
});
