import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  compose,
  describeProblem,
  type GivenAtCall,
  jsonSchemaOf,
  MemorySource,
  schemaOf,
  type TargetSchemas,
  validate,
} from '../../../engine/config/index.ts';
import { createTargetSchemas } from '../../../engine/instantiate/index.ts';

// Packages as they are published in different ways. None of their code can run: it is not there, or throws.
const packages = {
  'esm/package.json':
    '{"name":"esm","type":"module","exports":{".":{"types":"./types/main.d.ts","import":"./main.js"},"./sub":"./sub.mjs"}}',
  'esm/main.js': 'throw new Error("reading must not run this");',
  'esm/types/main.d.ts': `
import type { Base } from './base.js';
export * as tools from './tools.js';
export interface EncoderOptions extends Base<number> {
  /** How wide. @see nothing */
  width: number;
  /** Which one.
   * @default 'sum' */
  mode?: 'sum' | 'mean';
}
/** Encodes. */
export declare class Encoder {
  constructor(options: EncoderOptions);
  static load(path: string, options?: { strict?: boolean }): Promise<Encoder>;
  encode(): void;
}
export declare function pick(index: number): Encoder;
export declare function pick(options: { names: string[]; index?: string }): Encoder;
export declare const alias: typeof Encoder;
export default function make(this: void, first: string, ...rest: readonly number[]): Encoder;
`,
  'esm/types/base.d.ts': 'export interface Base<T> { seed?: number; value?: T; inner?: import("./tools.js").Inner }',
  'esm/types/tools.d.ts': 'export interface Inner { on: boolean } export declare const wrap: (options: Inner) => void;',
  'esm/sub.mjs': 'throw new Error("nor this"); export class Sub { constructor({ size = 2, ...rest } = {}) {} }',
  'esm/sub.d.mts': 'export class Sub { constructor(options?: { size?: number }); }',
  'old/package.json': '{"name":"old","main":"index.js"}',
  'old/index.js': 'throw new Error("nor this");',
  '@types/old/package.json': '{"name":"@types/old","types":"index.d.ts"}',
  '@types/old/index.d.ts': `
declare class Old { constructor(options: Old.Options, more?: boolean); }
declare namespace Old { interface Options { path: string } function build(options: Options): Old; }
export = Old;
`,
  'untyped/package.json': '{"name":"untyped","main":"index.cjs"}',
  'untyped/index.cjs': 'exports.run = (a) => a;',
};

let root: string;
let schemas: TargetSchemas;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'accelhydra-packages-'));
  for (const [file, text] of Object.entries(packages)) {
    const path = join(root, 'node_modules', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  schemas = createTargetSchemas({ sourceRoots: [root], projectRoot: root });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

test.each([
  {
    target: 'esm.Encoder',
    args: 0,
    is: {
      required: ['width'],
      additionalProperties: false,
      properties: {
        width: { type: 'number', description: 'How wide.' },
        mode: { enum: ['sum', 'mean'], default: 'sum' },
        seed: { type: 'number' },
        inner: { type: 'object', properties: { on: { type: 'boolean' } } },
      },
    },
  },
  { target: 'esm#alias', args: 0, is: { required: ['width'] } },
  { target: 'esm#Encoder.load', args: 1, is: { properties: { strict: { type: 'boolean' } }, required: [] } },
  { target: 'esm#tools.wrap', args: 0, is: { required: ['on'] } },
  { target: 'esm/sub#Sub', args: 0, is: { properties: { size: { type: 'number' } } } },
  // One of its overloads takes no options.
  { target: 'esm#pick', args: 0, is: { required: [], properties: { names: { type: 'array' } } } },
  { target: 'old#default', args: 0, is: { required: ['path'] } },
  { target: 'old.build', args: 0, is: { required: ['path'], properties: { path: { type: 'string' } } } },
  { target: 'tf.layers.dense', args: 0, is: { required: ['units'], properties: { useBias: { type: 'boolean' } } } },
  { target: 'tf.sequential', args: 0, is: { properties: { layers: { type: 'array' }, name: { type: 'string' } } } },
  { target: 'tf.callbacks.earlyStopping', args: 0, is: { properties: { mode: { enum: ['auto', 'min', 'max'] } } } },
  { target: 'tf.train.adam', args: 0, is: { properties: {}, additionalProperties: false } },
])('reads $target with $args before', ({ target, args, is }) => {
  expect(schemas(target, args)?.options).toMatchObject(is);
});

test('parameters by position are known with their documentation', () => {
  expect(schemas('tf.train.adam', 0)?.parameters?.map(({ name, isRequired }) => [name, isRequired])).toEqual([
    ['learningRate', false],
    ['beta1', false],
    ['beta2', false],
    ['epsilon', false],
  ]);
  expect(schemas('tf.train.adam', 0)?.parameters?.[0]?.schema).toEqual({
    type: 'number',
    description: 'The learning rate to use for the Adam gradient descent algorithm.',
  });
  expect(schemas('esm#default', 0)?.parameters).toEqual([
    { name: 'first', schema: { type: 'string' }, isRequired: true, isRest: false },
    { name: 'rest', schema: { type: 'number' }, isRequired: false, isRest: true },
  ]);
});

test.each(['esm.Nothing', 'untyped.run', 'missing.Thing', 'node:fs#readFile', 'fs.readFile', 'tf'])(
  'knows nothing of %s',
  (target) => {
    expect(schemas(target, 0)).toBeUndefined();
  },
);

function problems(text: string, given?: GivenAtCall): string[] {
  const composition = compose({ searchPath: [new MemorySource({ 'train.yaml': text })], configName: 'train' });
  return validate(composition, schemas, given ? { givenAt: () => given } : {}).map((problem) =>
    describeProblem(problem).replace('\n   ', ''),
  );
}

describe('validation', () => {
  test.each([
    { id: 'a layer', text: 'm: {_target_: tf.layers.dense, units: 3, activation: relu, kernelInitializer: heNormal}' },
    { id: 'an optimizer', text: 'm: {_target_: tf.train.momentum, _args_: [0.1, 0.9, true]}' },
    { id: 'a partial', text: 'm: {_target_: tf.train.sgd, _partial_: true}' },
    { id: 'nothing at all where nothing is needed', text: 'm: {_target_: tf.train.adam}' },
    {
      id: 'layers in a model',
      text: 'm: {_target_: tf.sequential, layers: [{_target_: tf.layers.flatten, inputShape: [2, null]}]}',
    },
    { id: 'a package’s class', text: 'm: {_target_: esm.Encoder, width: 3, mode: mean}' },
    { id: 'further arguments of a rest parameter', text: 'm: {_target_: "esm#default", _args_: [a, 1, 2, 3]}' },
  ])('is silent about $id', ({ text }) => {
    expect(problems(text)).toEqual([]);
  });

  test.each([
    {
      id: 'a misspelt option',
      text: 'm: {_target_: tf.layers.dense, units: 3, activaton: relu}',
      says: [
        /^'m.activaton' is unknown: tf.layers.dense has no option 'activaton'. Did you mean 'activation'\? .*at train.yaml:1:53$/,
      ],
    },
    {
      id: 'a choice that is none',
      text: 'm: {_target_: tf.layers.dense, units: 3, activation: rleu}',
      says: [/^'m.activation' must be 'elu' or .* not the text 'rleu': tf.layers.dense says so. Did you mean 'relu'\?/],
    },
    {
      id: 'a missing option',
      text: 'm: {_target_: tf.layers.dense}',
      says: [/^'m.units' is missing: tf.layers.dense/],
    },
    {
      id: 'a text where an object is built',
      text: 'm: {_target_: tf.layers.bidirectional, layer: lstm, mergeMode: concat}',
      says: [/^'m.layer' must be an object \(RNN\), not the text 'lstm'/],
    },
    {
      id: 'a name where only positions count',
      text: 'm: {_target_: tf.train.adam, learningRate: 0.1}',
      says: [
        /^'m.learningRate' is given by name, but tf.train.adam takes its arguments by position: write _args_: \[learningRate, beta1, beta2, epsilon\]. at train.yaml:1:44$/,
      ],
    },
    {
      id: 'a wrong and a superfluous argument',
      text: 'm: {_target_: tf.train.sgd, _args_: [fast, 2]}',
      says: [
        /^'m._args_\[0\]' \(learningRate\) must be a number, not the text 'fast'/,
        /^'m._args_\[1\]' is one argument too many: tf.train.sgd takes at most 1 \(learningRate\) by position/,
      ],
    },
    {
      id: 'a missing argument',
      text: 'm: {_target_: tf.train.momentum, _args_: [0.1]}',
      says: [
        /^'m._args_' lacks 'momentum': tf.train.momentum needs it as argument 2 \(learningRate, momentum, useNesterov\?\)/,
      ],
    },
    {
      id: 'a package’s option',
      text: 'm: {_target_: esm.Encoder, width: wide, mod: sum}',
      says: [
        /^'m.width' must be a number/,
        /^'m.mod' is unknown: esm.Encoder has no option 'mod'. Did you mean 'mode'/,
      ],
    },
  ])('tells $id', ({ text, says }) => {
    const found = problems(text);
    expect(found).toEqual(says.map((one) => expect.stringMatching(one)));
  });

  test('what the program gives counts', () => {
    const given = { args: 1, options: [] };
    expect(problems('m: {_target_: tf.train.sgd}', given)).toEqual([]);
    expect(problems('m: {_target_: tf.train.sgd, _args_: [1]}', given)).toEqual([
      expect.stringContaining('takes none by position'),
    ]);
  });
});

test('editors and the page are told of both kinds of argument', () => {
  const text = 'a: {_target_: tf.train.sgd, _args_: [0.1]}\nb: {_target_: tf.layers.dense, units: 1}\n';
  const composition = compose({ searchPath: [new MemorySource({ 'train.yaml': text })], configName: 'train' });
  const infos = schemaOf(composition, schemas);
  expect(infos.get('a._args_[0]')).toMatchObject({ isRequired: true, isSet: true, schema: { type: 'number' } });
  expect(infos.get('b.units')).toMatchObject({ isRequired: true, isSet: true });
  const json = jsonSchemaOf(composition, schemas).properties;
  expect(json?.a?.properties?._args_?.anyOf?.[0]).toMatchObject({
    prefixItems: [{ title: 'learningRate' }],
    maxItems: 1,
  });
  expect(json?.b?.properties?.activation?.anyOf?.[0]?.enum).toContain('relu');
});
