import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import type { TargetSchemas } from '../../../engine/config/index.ts';
import { createTargetSchemas } from '../../../engine/instantiate/index.ts';
import { builtinTargets } from '../../../engine/trainer/index.ts';

let root: string;
let schemas: TargetSchemas;

const files = {
  'models/net.ts': `
import type { Shared } from './shared.ts';
import { WIDTH } from './shared.ts';
throw new Error('reading must not run this');

export interface NetOptions extends Shared {
  /** How many
   * layers. */
  readonly depth: number;
  readonly mode?: 'min' | 'max' | null;
  readonly sizes?: readonly [number, number];
  readonly names?: string[];
  readonly on?: boolean | undefined;
  callback?(): void;
}

/** A net.
 * @see nothing */
export class Net {
  constructor({ mode = 'min', on = true, sizes = [1, -2], names = ['a'] }: NetOptions) {}
}

export class Wide extends Net {}

export class Positional {
  constructor(first: number, private readonly options: Readonly<Partial<NetOptions>> = {}) {}
}

export function build(options: Pick<NetOptions, 'depth' | 'mode'> & { width?: number }) {
  const { width = WIDTH } = options;
}

export const make = async ({ size = 2 }: { size?: number; [more: string]: unknown }) => size;
export class Plain {}
export class Static {
  static create(options: { width: number }) { return new Static(); }
  run() {}
}
enum Level { Low = 'low', High = 1 }
const MODES = { fast: 1, slow: 2 };
export class Documented {
  constructor(options: {
    /**
     * Share dropped.
     * @minimum 0
     * @exclusiveMaximum 1
     * @default 0.5
     */
    rate?: number;
    /** @integer @default 7 is prose here
     * @defaultValue 3 */
    count?: number;
    /** @default 'b' */
    kind?: 'a' | 'b';
    mode?: keyof typeof MODES;
    level?: Level;
    net?: Static;
  }) {}
}
export function anything(options: any) {}
`,
  'models/shared.ts': `
export const WIDTH = 2 * 32;
export type Shared = Base & { readonly label: string };
interface Base { readonly seed?: number }
`,
  'models/index.ts': `export * from './net.ts'; export { Net as Renamed } from './net';`,
  'stated.ts': `
import { z } from 'zod';
const common = (lr: number) => ({ lr: z.number().nonnegative().default(lr).describe('rate') });
export class Zod {
  static readonly optionsSchema = z.object({ ...common(0.1), steps: z.int().min(1), kind: z.enum(['a', 'b']).nullish() });
}
export class Json {
  static optionsSchema = { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] };
}
export function factory(options: unknown) {}
factory.optionsSchema = z.looseObject({ rate: z.number().gt(0).lt(1) });
const schema = z.object({ a: z.string().optional() }).extend({ b: z.literal(3) });
export class Inferred { constructor(options: z.input<typeof schema>) {} }
`,
  'loose.js':
    'export function old() { return arguments[0]; } export function two(options, more) {} export class K { go() {} } export class T { constructor(o) {} }',
  'typed.ts': 'export class Options { a = 1; go() {} } export class Takes { constructor(options: Options) {} }',
  'plain.js': 'export class Script { constructor({ width = 4, name }) {} }',
  'broken.ts': 'export class Broken { constructor(',
  'loop.ts': `export * from './loop.ts'; export type T = T | { t: T }; export class Loop { constructor(o: { t: T }) {} }`,
};

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'accelhydra-schemas-'));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  schemas = createTargetSchemas({ sourceRoots: [root] });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const net = {
  required: ['label', 'depth'],
  additionalProperties: false,
  properties: {
    seed: { type: 'number' },
    label: { type: 'string' },
    depth: { type: 'number', description: 'How many layers.' },
    mode: { anyOf: [{ enum: ['min', 'max'] }, { type: 'null' }], default: 'min' },
    sizes: { type: 'array', minItems: 2, maxItems: 2, default: [1, -2] },
    names: { type: 'array', items: { type: 'string' }, default: ['a'] },
    on: { type: 'boolean', default: true },
  },
};

test.each([
  { target: 'models.net.Net', args: 0, is: net },
  { target: 'models.Renamed', args: 0, is: net },
  { target: 'models.net.Wide', args: 0, is: net },
  { target: 'models.net.Positional', args: 1, is: { required: [], properties: { depth: { type: 'number' } } } },
  {
    target: 'models.net.build',
    args: 0,
    is: { required: ['depth'], properties: { depth: {}, mode: {}, width: { type: 'number', default: 64 } } },
  },
  {
    target: 'models.net.make',
    args: 0,
    is: { properties: { size: { type: 'number', default: 2 } }, additionalProperties: true },
  },
  { target: 'models.net.Plain', args: 0, is: { properties: {}, additionalProperties: false } },
  { target: 'models.net.Positional', args: 0, is: { properties: {}, additionalProperties: false } },
  {
    target: 'models.net.Static.create',
    args: 0,
    is: { required: ['width'], properties: { width: { type: 'number' } } },
  },
  {
    target: 'models.net.Documented',
    args: 0,
    is: {
      properties: {
        rate: { type: 'number', minimum: 0, exclusiveMaximum: 1, default: 0.5, description: 'Share dropped.' },
        count: { type: 'integer', default: 3 },
        kind: { enum: ['a', 'b'], default: 'b' },
        mode: { enum: ['fast', 'slow'] },
        level: { enum: ['low', 1] },
        net: { type: 'object', title: 'Static' },
      },
    },
  },
  {
    target: 'plain.Script',
    args: 0,
    is: { properties: { width: { default: 4 }, name: {} }, additionalProperties: false },
  },
  {
    target: 'stated.Zod',
    args: 0,
    is: {
      required: ['steps'],
      properties: {
        lr: { type: 'number', minimum: 0, default: 0.1, description: 'rate' },
        steps: { type: 'integer', minimum: 1 },
        kind: { anyOf: [{ enum: ['a', 'b'] }, { type: 'null' }] },
      },
    },
  },
  { target: 'stated.Json', args: 0, is: { properties: { n: { type: 'integer' } }, required: ['n'] } },
  {
    target: 'stated.factory',
    args: 0,
    is: { additionalProperties: true, properties: { rate: { exclusiveMinimum: 0, exclusiveMaximum: 1 } } },
  },
  {
    target: 'stated.Inferred',
    args: 0,
    is: { required: ['b'], properties: { a: { type: 'string' }, b: { const: 3 } } },
  },
  { target: 'loop.Loop', args: 0, is: { required: ['t'] } },
])('reads $target', ({ target, args, is }) => {
  expect(schemas(target, args)?.options).toMatchObject(is);
});

test.each([
  'models.net.anything',
  'models.net.Nothing',
  'broken.Broken',
  'loop.Missing',
  'loose.old',
  'loose.two',
  'loose.T',
  'tf.layers.nothing',
  'tf.version_core',
  'no.such.Module',
])('knows nothing of %s', (target) => {
  expect(schemas(target, 0)).toBeUndefined();
});

test('an object of options may also be an instance of a class', () => {
  expect(schemas('typed.Takes', 0)).toMatchObject({ options: { additionalProperties: true } });
  expect(schemas('typed.Takes', 0)?.isPositional).toBeUndefined();
});

test('says what the author says, and where', () => {
  const found = schemas('models.net.Net', 0);
  expect(found?.doc).toBe('A net.');
  expect(found?.source).toEqual({ file: join(root, 'models', 'net.ts'), line: 19, column: 8 });
});

test('a changed file is read again', () => {
  const file = join(root, 'changing.ts');
  writeFileSync(file, 'export class C { constructor(o: { a: number }) {} }');
  expect(schemas('changing.C', 0)?.options.required).toEqual(['a']);
  writeFileSync(file, 'export class C { constructor(o: { b: number }) {} }');
  utimesSync(file, new Date(), new Date(Date.now() + 5000));
  expect(schemas('changing.C', 0)?.options.required).toEqual(['b']);
});

// What is read from our own sources must be what the classes say of themselves when they run.
test.each(Object.entries(builtinTargets))('the built-in %s is known', (name, target) => {
  const args = /optim|scheduler/.test(name) ? 1 : 0;
  const found = schemas(name, args);
  const stated: unknown = Reflect.get(target, 'optionsSchema');
  if (!(stated instanceof z.ZodObject)) {
    // Sequential takes its parts one by one, not as options.
    if (!name.endsWith('.Sequential')) expect(found).toBeDefined();
    return;
  }
  const running = z.toJSONSchema(stated, { io: 'input', unrepresentable: 'any' });
  const read = found?.options;
  expect(Object.keys(read?.properties ?? {}).sort()).toEqual(Object.keys(running.properties ?? {}).sort());
  expect([...(read?.required ?? [])].sort()).toEqual([...(running.required ?? [])].sort());
  for (const [key, option] of Object.entries(running.properties ?? {})) {
    if (typeof option !== 'object') continue;
    expect([key, read?.properties?.[key]?.default]).toEqual([key, option.default]);
  }
});
