import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { compose, MemorySource, validate } from '../../../engine/config/index.ts';
import { createTargetSchemas } from '../../../engine/instantiate/index.ts';
import { type getScheduler, SGD } from '../../../engine/optim/index.ts';
import { givenByTraining } from '../../../engine/service/configProblems.ts';
import { builtinTargets } from '../../../engine/trainer/index.ts';
import { readSettings, trainerKeys } from '../../../engine/trainer/settings.ts';
import { smallModel } from './support.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'training.md'), 'utf8');
const examples = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = '']) => text);

/** Builds nested targets, innermost first, as instantiate does with built-in classes. */
function build(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(build);
  if (typeof value !== 'object' || value === null) return value;
  const { _target_: target, ...rest } = value as Record<string, unknown>;
  const options = Object.fromEntries(Object.entries(rest).map(([key, item]) => [key, build(item)]));
  return target === undefined ? options : Reflect.construct(classOf(target), [options]);
}

function classOf(target: unknown): new (...given: unknown[]) => object {
  const found = builtinTargets[String(target)];
  if (typeof found !== 'function') throw new Error(`There is no target ${target}`);
  return found as new (
    ...given: unknown[]
  ) => object;
}

test.each(examples)('a launch finds nothing wrong with this:\n%s', (text) => {
  const composition = compose({ searchPath: [new MemorySource({ 'train.yaml': text })], configName: 'train' });
  const problems = validate(composition, createTargetSchemas({ sourceRoots: [], projectRoot: import.meta.dirname }), {
    roots: ['trainer', 'optimizer', 'lr_scheduler'],
    givenAt: givenByTraining,
  });
  expect(problems.filter(({ kind }) => kind !== 'missing-argument')).toEqual([]);
});

test('the page has examples of both kinds', () => {
  expect(examples.filter((text) => text.startsWith('trainer:')).length).toBeGreaterThan(4);
  expect(examples.filter((text) => text.startsWith('optimizer:')).length).toBeGreaterThan(1);
});

test.each(examples)('the trainer and its optimizers take this:\n%s', (text) => {
  const {
    trainer,
    optimizer,
    lr_scheduler: schedule,
  } = parse(text) as Record<string, Record<string, unknown> | undefined>;
  if (trainer !== undefined) {
    for (const key of Object.keys(trainer)) expect(trainerKeys).toContain(key);
    const options = build(trainer) as Record<string, never>;
    expect(readSettings('Trainer', { project_dir: 'run', epochs: 1, ...options })).toBeDefined();
  }
  if (schedule !== undefined) {
    const { _target_: target, ...options } = schedule;
    const sgd = new SGD(smallModel().namedParameters(), { lr: 0.1 });
    const made = (builtinTargets[String(target)] as typeof getScheduler)(sgd, options);
    expect(made.getLastLr()).toEqual([0.1]);
  }
  if (optimizer !== undefined) {
    const { _target_: target, ...options } = optimizer;
    const made = Reflect.construct(classOf(target), [smallModel().namedParameters(), build(options)]);
    expect(Reflect.get(made, 'paramGroups').length).toBeGreaterThan(1);
  }
});
