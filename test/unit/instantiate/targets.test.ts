import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EngineError } from '../../../engine/api/errors.ts';
import { createTargetLocator, type LocatedTarget } from '../../../engine/instantiate/index.ts';
import { FIXTURES, failureOf, fixtureLocator } from './support.ts';

const allow = (): void => undefined;
const locate = (target: string, check: (name: string) => void = allow): Promise<LocatedTarget> =>
  fixtureLocator({ 'accelhydra.Trainer': class Trainer {}, 'accelhydra.losses': { mse: () => 0 } }).locate(
    target,
    check,
  );

describe('targets are found', () => {
  test.each([
    { id: 'a class of a module', target: 'models.cnn.DigitCNN', file: 'project/models/cnn.ts' },
    { id: 'a static method', target: 'models.cnn.DigitCNN.tiny', file: 'project/models/cnn.ts' },
    { id: 'a member of a member', target: 'models.cnn.DigitCNN.presets.small', file: 'project/models/cnn.ts' },
    { id: 'the index of a folder', target: 'models.byIndex', file: 'project/models/index.ts' },
    {
      id: 'the index of a nested folder, in JavaScript',
      target: 'models.nested.Deep',
      file: 'project/models/nested/index.mjs',
    },
    {
      id: 'a shorter module path when the longer one lacks it',
      target: 'models.cnn.Shadowed',
      file: 'project/models/index.ts',
    },
    { id: 'a module of the second root', target: 'models.extra.Extra', file: 'second/models/extra.ts' },
    {
      id: 'an export of the second root where the first has none',
      target: 'models.cnn.OnlyHere',
      file: 'second/models/cnn.ts',
    },
  ])('$id', async ({ target, file }) => {
    const found = await locate(target);
    expect(found).toMatchObject({ name: target, kind: 'project', file: `${FIXTURES}${file}` });
    expect(found.value).toBeTypeOf('function');
  });

  test.each([
    { id: 'a built-in', target: 'accelhydra.Trainer', kind: 'builtin' },
    { id: 'a member of a built-in', target: 'accelhydra.losses.mse', kind: 'builtin' },
    { id: 'a TensorFlow.js factory', target: 'tf.train.adam', kind: 'tensorflow' },
  ])('$id', async ({ target, kind }) => {
    expect(await locate(target)).toMatchObject({ name: target, kind });
  });
});

describe('targets that are not there', () => {
  test.each([
    {
      id: 'a misspelt export',
      target: 'models.cnn.DigitCN',
      says: ["Did you mean 'models.cnn.DigitCNN'?", "has no 'DigitCN' (it has"],
    },
    {
      id: 'a misspelt module',
      target: 'models.cmn.DigitCNN',
      says: ["Did you mean 'models.cnn.DigitCNN'?", 'project: no models/cmn.ts', 'second: no models/cmn.ts'],
    },
    {
      id: 'a misspelt folder',
      target: 'model.cnn.DigitCNN',
      says: ["Did you mean 'models.cnn.DigitCNN'?", 'no model.ts'],
    },
    { id: 'a misspelt built-in', target: 'accelhydra.Trianer', says: ["Did you mean 'accelhydra.Trainer'?"] },
    { id: 'a misspelt member of tf', target: 'tf.train.adma', says: ["Did you mean 'tf.train.adam'?"] },
    { id: 'a member of everything', target: 'models.cnn.DigitCNN.constructor', says: ["has no 'constructor'"] },
    { id: 'an empty part', target: 'models..DigitCNN', says: ['invalid dotstring'] },
    { id: 'one word', target: 'DigitCNN', says: ['source root'] },
  ])('$id', async ({ target, says }) => {
    const error = await failureOf(locate(target));
    expect(EngineError.is(error, 'instantiate.target-not-found')).toBe(true);
    for (const part of says) expect(error.message).toContain(part);
  });

  test('a module that throws while loading names the module and keeps the cause', async () => {
    const error = await failureOf(locate('models.broken.Thing'));
    expect(EngineError.is(error, 'instantiate.module-failed')).toBe(true);
    expect(error.message).toContain('models/broken.ts');
    expect(error.cause).toMatchObject({ message: 'cannot be loaded' });
  });
});

test('the name is checked before the module runs', async () => {
  const refuse = (name: string): void => {
    throw new EngineError('test.refused', name);
  };
  const error = await failureOf(locate('models.broken.Thing', refuse));
  expect(error).toMatchObject({ code: 'test.refused', message: 'models.broken.Thing' });
});

describe('npm packages', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'accelhydra-npm-'));
    const files = {
      'node_modules/@scope/pkg/package.json': '{"name":"@scope/pkg","main":"index.cjs"}',
      'node_modules/@scope/pkg/index.cjs': 'exports.Model = class Model {}; exports.nested = { Deep: class Deep {} };',
      'node_modules/@scope/pkg/sub.cjs': 'exports.Sub = class Sub {};',
      'node_modules/plain/package.json': '{"name":"plain","main":"index.cjs"}',
      'node_modules/plain/index.cjs': 'exports.run = () => 1;',
      'node_modules/modern/package.json': '{"name":"modern","type":"module","exports":{".":{"import":"./index.mjs"}}}',
      'node_modules/modern/index.mjs': 'export const run = () => 1;',
      'node_modules/alias/package.json': '{"name":"really-other","main":"index.cjs"}',
      'node_modules/alias/index.cjs': 'exports.run = () => 1;',
    };
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
  });

  afterEach(() => {
    rmSync(root, { recursive: true, force: true });
  });

  const locateIn = (target: string, trusted: readonly string[]): Promise<LocatedTarget> =>
    createTargetLocator({ npm: { projectRoot: root, trusted } }).locate(target, allow);

  test.each([
    { id: 'a scoped package', target: '@scope/pkg#Model', trusted: ['@scope/pkg'], name: '@scope/pkg#Model' },
    {
      id: 'a member of an export',
      target: '@scope/pkg#nested.Deep',
      trusted: ['@scope/pkg'],
      name: '@scope/pkg#nested.Deep',
    },
    {
      id: 'a file of a package',
      target: '@scope/pkg/sub.cjs#Sub',
      trusted: ['@scope/pkg/sub.cjs'],
      name: '@scope/pkg/sub.cjs#Sub',
    },
    { id: 'with a dot', target: 'plain.run', trusted: ['plain'], name: 'plain#run' },
    {
      id: 'a scoped package with a dot',
      target: '@scope/pkg.Model',
      trusted: ['@scope/pkg#Model'],
      name: '@scope/pkg#Model',
    },
    { id: 'that has no CommonJS', target: 'modern.run', trusted: ['modern'], name: 'modern#run' },
    { id: 'installed under another name', target: 'alias.run', trusted: ['really-other'], name: 'really-other#run' },
  ])('found: $id', async ({ target, trusted, name }) => {
    expect(await locateIn(target, trusted)).toMatchObject({ name, kind: 'npm' });
  });

  test.each([
    { id: 'not trusted', target: 'plain.run', trusted: [], code: 'instantiate.package-not-trusted' },
    {
      id: 'another export than the trusted one',
      target: '@scope/pkg#Model',
      trusted: ['@scope/pkg#nested'],
      code: 'instantiate.package-not-trusted',
    },
    {
      id: 'trusted by the name it only borrows',
      target: 'alias.run',
      trusted: ['alias'],
      code: 'instantiate.package-not-trusted',
    },
    {
      id: 'a path out of the package',
      target: '@scope/pkg/../../plain#run',
      trusted: ['@scope/pkg'],
      code: 'instantiate.target-not-found',
    },
    { id: 'not installed', target: 'missing.run', trusted: ['missing'], code: 'instantiate.target-not-found' },
    { id: "a module of Node's", target: 'fs#rmSync', trusted: ['fs'], code: 'instantiate.target-not-found' },
    {
      id: 'an export that is not there',
      target: '@scope/pkg#Modle',
      trusted: ['@scope/pkg'],
      code: 'instantiate.target-not-found',
    },
  ])('refused: $id', async ({ target, trusted, code }) => {
    expect(await failureOf(locateIn(target, trusted))).toMatchObject({ code });
  });
});
