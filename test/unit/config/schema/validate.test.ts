import { describe, expect, test } from 'vitest';
import {
  type ComposedTree,
  compose,
  describeProblem,
  type JsonSchema,
  jsonSchemaOf,
  MemorySource,
  schemaOf,
  type TargetSchemas,
  type ValidateOptions,
  validate,
} from '../../../../engine/config/index.ts';

const options: JsonSchema = {
  type: 'object',
  properties: {
    lr: { type: 'number', minimum: 0, exclusiveMaximum: 1, default: 0.1, description: 'learning rate' },
    depth: { type: 'integer' },
    mode: { enum: ['min', 'max'] },
    name: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    betas: { type: 'array', prefixItems: [{ type: 'number' }, { type: 'number' }], minItems: 2, maxItems: 2 },
    child: {},
    sizes: { type: 'object', additionalProperties: { type: 'integer' } },
  },
  required: ['depth'],
  additionalProperties: false,
};
const targets: TargetSchemas = (target) => (target === 'lib.Model' ? { target, options, doc: 'A model.' } : undefined);

function composed(text: string, overrides: string[] = []): ComposedTree {
  const source = new MemorySource({ 'train.yaml': text });
  return compose({ searchPath: [source], configName: 'train', overrides });
}

function problems(text: string, more: ValidateOptions = {}): string[] {
  return validate(composed(text), targets, more).map(describeProblem);
}

describe('validate', () => {
  test.each([
    { id: 'right values', text: 'm: {_target_: lib.Model, depth: 2, lr: 0.5, mode: max, name: null, betas: [0, 1]}' },
    { id: 'a whole number written as a float', text: 'm: {_target_: lib.Model, depth: 2.0}' },
    { id: 'a target nobody knows', text: 'm: {_target_: other.Model, anything: 1}' },
    { id: 'a missing value, which is told elsewhere', text: "m: {_target_: lib.Model, depth: '???'}" },
    { id: 'a partial without all arguments', text: 'm: {_target_: lib.Model, _partial_: true}' },
    { id: 'an object where a number could be', text: 'm: {_target_: lib.Model, depth: {_target_: other.Depth}}' },
    { id: 'an unknown resolver', text: "m: {_target_: lib.Model, depth: '${mine:1}'}" },
    { id: 'positional arguments of unknown number', text: "m: {_target_: lib.Model, _args_: '${mine:1}'}" },
  ])('is silent about $id', ({ text }) => {
    expect(problems(text)).toEqual([]);
  });

  test.each([
    {
      id: 'an unknown argument',
      text: 'm:\n  _target_: lib.Model\n  depht: 2\n',
      says: "'m.depht' is unknown: lib.Model has no option 'depht'. Did you mean 'depth'? It takes lr, depth, mode, name, betas, child, sizes.\n    at train.yaml:3:10",
    },
    {
      id: 'a missing argument',
      text: 'm:\n  _target_: lib.Model\n',
      says: "'m.depth' is missing: lib.Model needs 'depth'.\n    at train.yaml:2:13",
    },
    {
      id: 'a text for a number',
      text: 'm: {_target_: lib.Model, depth: deep}',
      says: "'m.depth' must be a whole number, not the text 'deep': lib.Model says so.\n    at train.yaml:1:33",
    },
    {
      id: 'a number out of range',
      text: 'm: {_target_: lib.Model, depth: 1, lr: 1.5}',
      says: "'m.lr' must be ≥ 0 and < 1, not 1.5: lib.Model says so.\n    at train.yaml:1:40",
    },
    {
      id: 'a choice that is none',
      text: 'm: {_target_: lib.Model, depth: 1, mode: best}',
      says: "'m.mode' must be 'min' or 'max', not the text 'best': lib.Model says so.\n    at train.yaml:1:42",
    },
    {
      id: 'a list of another length',
      text: 'm: {_target_: lib.Model, depth: 1, betas: [0.9]}',
      says: "'m.betas' must have 2 items, not 1: lib.Model says so.\n    at train.yaml:1:43",
    },
    {
      id: 'a value inside a list, at its own place',
      text: 'm: {_target_: lib.Model, depth: 1, betas: [0.9, x]}',
      says: "'m.betas[1]' must be a number, not the text 'x': lib.Model says so.\n    at train.yaml:1:49",
    },
    {
      id: 'a value inside a mapping',
      text: 'm: {_target_: lib.Model, depth: 1, sizes: {a: 1, b: x}}',
      says: "'m.sizes.b' must be a whole number, not the text 'x': lib.Model says so.\n    at train.yaml:1:53",
    },
    {
      id: 'what an interpolation gives',
      text: "n: many\nm: {_target_: lib.Model, depth: '${n}'}",
      says: "'m.depth' must be a whole number, not the text 'many' (from ${n}): lib.Model says so.\n    at train.yaml:2:33",
    },
    {
      id: 'a target inside another',
      text: 'm: {_target_: lib.Model, depth: 1, child: [{_target_: lib.Model}]}',
      says: "'m.child[0].depth' is missing: lib.Model needs 'depth'.\n    at train.yaml:1:55",
    },
  ])('tells $id', ({ text, says }) => {
    expect(problems(text)).toEqual([says]);
  });

  test('only sections that are built count, and what they lead to', () => {
    const text = "used: '${parts.a}'\nparts: {a: {_target_: lib.Model}, b: {_target_: lib.Model}}\n";
    expect(problems(text, { roots: ['used'] })).toEqual([
      "'parts.a.depth' is missing: lib.Model needs 'depth'.\n    at train.yaml:2:23",
    ]);
  });

  test('arguments that the program gives are not missing', () => {
    const givenAt = (path: string) => (path === 'm' ? { args: 1, options: ['depth'] } : undefined);
    expect(problems('m: {_target_: lib.Model}', { givenAt })).toEqual([]);
  });

  test('an override is named as the place', () => {
    const found = validate(composed('m: {_target_: lib.Model, depth: 1}', ['m.depth=x']), targets);
    expect(found.map(describeProblem).join()).toContain('at override 1 (m.depth=x)');
  });
});

test('schemaOf tells type, default, doc and whether it is set, also of what the config leaves out', () => {
  const infos = schemaOf(composed('m: {_target_: lib.Model, depth: 1}'), targets);
  expect(infos.get('m.depth')).toMatchObject({ isSet: true, isRequired: true, schema: { type: 'integer' } });
  expect(infos.get('m.lr')).toMatchObject({ isSet: false, isRequired: false, default: 0.1, doc: 'learning rate' });
  expect(infos.has('m._target_')).toBe(false);
});

test('the JSON Schema for editors has options, docs and room for interpolations', () => {
  const schema = jsonSchemaOf(
    composed('n: 1\nm: {_target_: lib.Model, depth: 1, child: {_target_: lib.Model, depth: 2}}\n__proto__: {x: 1}\n'),
    targets,
  );
  expect(schema.properties).toHaveProperty('defaults');
  expect(schema.properties?.m).toMatchObject({
    description: 'A model.',
    additionalProperties: false,
    properties: {
      depth: { anyOf: [{ type: 'integer' }, { type: 'string', pattern: '\\$\\{|^\\?\\?\\?$' }] },
      lr: { default: 0.1, description: 'learning rate' },
      _partial_: {},
      child: { type: 'object', properties: { lr: { default: 0.1 } } },
    },
  });
  expect(Object.getPrototypeOf(schema.properties)).toBe(Object.prototype);
});
