import { describe, expect, test } from 'vitest';
import { EngineError } from '../../../engine/api/errors.ts';
import { floatNode, fromPlain, type Origin } from '../../../engine/config/index.ts';
import {
  containerInfo,
  instantiate,
  type TargetWhitelist,
  UNSAFE_ALLOW_ALL_TARGETS,
} from '../../../engine/instantiate/index.ts';
import { build, failureOf, fixtureLocator, literal } from './support.ts';

const CNN = 'models.cnn.DigitCNN';

describe('JavaScript calling convention', () => {
  test.each([
    {
      id: 'keyword arguments as one object',
      config: { _target_: 'models.cnn.positional', a: 1, b: [2] },
      expected: [{ a: 1, b: [2] }],
    },
    {
      id: 'positional arguments before it',
      config: { _target_: 'models.cnn.positional', _args_: [1, 2], a: 3 },
      expected: [1, 2, { a: 3 }],
    },
    { id: 'positional arguments alone', config: { _target_: 'models.cnn.positional', _args_: [1] }, expected: [1] },
    { id: 'an empty object where nothing is given', config: { _target_: 'models.cnn.positional' }, expected: [{}] },
    { id: 'nothing for a TensorFlow.js factory', config: { _target_: 'tf.zeros' }, expected: [] },
    {
      id: 'positional arguments of TensorFlow.js',
      config: { _target_: 'tf.zeros', _args_: [[2, 3]] },
      expected: [[2, 3]],
    },
    {
      id: 'a key that is no identifier',
      config: { _target_: 'models.cnn.positional', 'a.b': 1 },
      expected: [{ 'a.b': 1 }],
    },
  ])('$id', async ({ config, expected }) => {
    expect(await build(config)).toEqual(expected);
  });

  test('an own key named __proto__ stays a key', async () => {
    const config = JSON.parse('{"_target_": "models.cnn.positional", "__proto__": {"polluted": true}}') as object;
    const [options] = (await build(fromPlain(config))) as [object];
    expect(Object.keys(options)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(options)).toBe(Object.prototype);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  test('classes are constructed, static methods and async factories called', async () => {
    const built = (await build({
      plain: { _target_: CNN, channels: 2 },
      tiny: { _target_: `${CNN}.tiny`, channels: 2 },
      later: { _target_: 'models.cnn.later', channels: 3 },
      list: [{ _target_: `${CNN}.presets.small` }],
    })) as Record<string, { options?: object }> & { list: { options: object }[] };
    expect(built.plain?.options).toEqual({ channels: 2 });
    expect(built.tiny?.options).toEqual({ channels: 1 });
    expect(built.later?.options).toEqual({ channels: 3 });
    expect(built.list[0]?.options).toEqual({ channels: 8 });
  });

  test('a partial takes further arguments and keyword arguments', async () => {
    const partial = (await build({ _target_: 'models.cnn.positional', _partial_: true, _args_: [1], a: 2 })) as (
      ...more: unknown[]
    ) => unknown;
    expect(partial()).toEqual([1, { a: 2 }]);
    expect(partial(7, { b: 3 })).toEqual([1, 7, { a: 2, b: 3 }]);
  });
});

describe('arguments given at the call', () => {
  test('objects of the program reach the target as they are, also inside lists', async () => {
    const model = new Map([['weight', 1]]);
    class Tensor {}
    const tensor = new Tensor();
    const [options] = (await build(
      { _target_: 'models.cnn.positional', lr: 0.1 },
      { kwargs: { params: [tensor], callback: build, named: { model: tensor } } },
    )) as [{ params: unknown[]; callback: unknown; named: { model: unknown } }];
    expect(options).toMatchObject({ lr: 0.1 });
    expect(options.params[0]).toBe(tensor);
    expect(options.callback).toBe(build);
    expect(options.named.model).toBe(tensor);
    expect(model.size).toBe(1);
  });

  test('a class can be the target', async () => {
    class Mine {
      readonly options: object;
      constructor(options: object) {
        this.options = options;
      }
    }
    expect(await build({ a: 1 }, { kwargs: { _target_: Mine } })).toEqual(new Mine({ a: 1 }));
  });

  test('the config given is not changed', async () => {
    const node = fromPlain({ _target_: 'models.cnn.positional', inner: { _target_: CNN, a: 1 } });
    await instantiate(node, { locator: fixtureLocator(), access: literal, kwargs: { inner: { a: 2 } } });
    expect(await build(node)).toMatchObject([{ inner: { options: { a: 1 } } }]);
  });
});

test('a container knows the config node it shows, and can be instantiated later', async () => {
  const [options] = (await build({
    _target_: 'models.cnn.positional',
    _recursive_: false,
    inner: { _target_: CNN },
  })) as [{ inner: object }];
  expect(options.inner).toEqual({ _target_: CNN });
  expect(containerInfo(options.inner)?.isConfig).toBe(true);
  expect(await instantiate(options.inner, { locator: fixtureLocator(), access: literal })).toMatchObject({
    options: {},
  });
});

test('a float that is whole keeps its type beside the container', async () => {
  const list = await build(fromPlain([floatNode(1)]));
  expect(list).toEqual([1]);
  expect(containerInfo(list)?.entries[0]?.[1].node).toMatchObject({ type: 'float' });
});

describe('errors', () => {
  test('a constructor that throws: key, place in the YAML, place in the source, cause', async () => {
    const origin: Origin = { kind: 'file', source: 'configs/model/cnn.yaml', line: 3, column: 12 };
    const node = fromPlain({ model: { layers: [{ _target_: 'models.cnn.Picky', channels: -1 }] } }, origin);
    const error = await failureOf(build(node));
    expect(error).toMatchObject({
      code: 'instantiate.call-failed',
      details: { fullKey: 'model.layers[0]', target: 'models.cnn.Picky', origin },
      cause: expect.any(RangeError),
    });
    const lines = error.message.split('\n');
    expect(lines[0]).toBe("Error in call to target 'models.cnn.Picky':");
    expect(lines).toContain('RangeError: channels must be positive, got -1');
    expect(lines).toContain('full_key: model.layers[0]');
    expect(lines).toContain('written at configs/model/cnn.yaml:3:12');
    expect(error.message).toMatch(/thrown at .*models\/cnn\.ts:\d+:\d+/);
  });

  test.each([
    {
      id: 'no such target',
      config: { a: { _target_: 'models.cnn.Nope' } },
      code: 'instantiate.target-not-found',
      says: 'full_key: a',
    },
    {
      id: 'a target that is no function',
      config: { _target_: 'models.cnn.SIZE' },
      code: 'instantiate.target-not-callable',
      says: "got '3' of type 'int'",
    },
    {
      id: 'a target that is no name',
      config: { _target_: [1] },
      code: 'instantiate.target-not-callable',
      says: "got '[1]' of type 'ListConfig'",
    },
    {
      id: '_args_ that is no list',
      config: { _target_: CNN, _args_: { a: 1 } },
      code: 'instantiate.arguments-invalid',
      says: "Unsupported _args_ type: 'DictConfig'",
    },
    {
      id: 'a flag that is no boolean',
      config: { _target_: CNN, _partial_: 'yes' },
      code: 'instantiate.flag-invalid',
      says: "got <class 'str'>",
    },
    {
      id: 'a mandatory value',
      config: { _target_: CNN, a: '???' },
      code: 'config.missing-mandatory-value',
      says: 'Missing mandatory value: a',
    },
    {
      id: "Python's os.system",
      config: { _target_: 'os.system', _args_: ['true'] },
      code: 'instantiate.target-not-allowed',
      says: 'blocklisted',
    },
    {
      id: "a module of Node's",
      config: { _target_: 'node:child_process#execSync', _args_: ['true'] },
      code: 'instantiate.target-not-allowed',
      says: 'blocklisted',
    },
  ])('$id', async ({ config, code, says }) => {
    const error = await failureOf(build(config));
    expect(error).toMatchObject({ code });
    expect(error.message).toContain(says);
  });

  test('a number cannot be instantiated', async () => {
    const error = await failureOf(instantiate(5, { locator: fixtureLocator(), access: literal }));
    expect(error.message).toContain('Cannot instantiate config of type int.');
  });
});

describe('whitelist', () => {
  test.each<{ id: string; whitelist: TargetWhitelist; allowed: boolean }>([
    { id: 'the name itself', whitelist: [CNN], allowed: true },
    { id: 'everything below', whitelist: 'models.*', allowed: true },
    { id: 'another name', whitelist: ['models.mlp.MLP'], allowed: false },
    { id: 'a name that only begins alike', whitelist: ['models.cn.*'], allowed: false },
    { id: 'everything', whitelist: UNSAFE_ALLOW_ALL_TARGETS, allowed: true },
  ])('$id', async ({ whitelist, allowed }) => {
    const built = build({ _target_: CNN }, { targetWhitelist: whitelist });
    if (allowed) expect(await built).toBeDefined();
    else expect(EngineError.is(await failureOf(built), 'instantiate.target-not-allowed')).toBe(true);
  });
});
