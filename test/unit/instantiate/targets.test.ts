import { describe, expect, test } from 'vitest';
import { EngineError } from '../../../engine/api/errors.ts';
import type { LocatedTarget } from '../../../engine/instantiate/index.ts';
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
