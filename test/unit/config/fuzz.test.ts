import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import {
  ConfigCache,
  ConfigError,
  compose,
  loadYaml,
  MemorySource,
  parseOverride,
  printOverride,
  toYaml,
} from '../../../engine/config/index.ts';

// 100,000 inputs: pieces of the languages in any order, and valid texts with something cut out, doubled or put in.
// The same inputs every time, so that a change answers for itself alone; FUZZ_SEED=n tries others.
const seed = Number(process.env.FUZZ_SEED ?? 1);
const slowestMs = 2000;

/** mulberry32: small, fast, the same everywhere. */
function randomOf(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Source {
  readonly #random: () => number;

  constructor(start: number) {
    this.#random = randomOf(start);
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  /** Pieces in any order. */
  soup(pieces: readonly string[]): string {
    return Array.from({ length: this.below(14) }, () => this.pick(pieces)).join('');
  }

  /** A valid text with a few changes. */
  mutated(texts: readonly string[], pieces: readonly string[]): string {
    let text = this.pick(texts);
    for (let change = this.below(4); change >= 0; change--) {
      const start = this.below(text.length + 1);
      const end = Math.min(text.length, start + this.below(6));
      const middle = this.pick(['', this.pick(pieces), text.slice(start, end).repeat(2), this.pick(texts).slice(0, 9)]);
      text = text.slice(0, start) + middle + text.slice(this.below(2) === 0 ? start : end);
    }
    return text.slice(0, 2000);
  }
}

const anything = [
  '\u0000',
  '\ufeff',
  '\u2028',
  'é',
  '😀',
  '\ud800',
  '\t',
  '\r\n',
  '\\',
  '__proto__',
  'constructor',
  ' ',
];
const overridePieces = [
  ...['a', 'a.b', 'a/b', '=', '+', '++', '~', '@', ':', ',', '[', ']', '{', '}', '(', ')', "'", '"', '$', '${', '${a}'],
  ...[
    'null',
    'true',
    '1',
    '-1.5e3',
    '.5',
    'inf',
    'nan',
    '1_000',
    '0x1F',
    'choice(',
    'range(',
    'glob(',
    'sort(',
    'int(',
  ],
  ...['interval(', 'shuffle(', 'tag(', 'extend_list(', 'json_str(', 'step=', 'exclude=', '\\,', "\\'", ...anything],
];
const overrideTexts = [
  'a.b=1',
  "+a@b.c={x: [1, 2.5, null], 'y z': ${a.b}}",
  '~group@pkg=option',
  'lr=choice(0.1,0.01)',
  'n=range(1,10,step=2)',
  'm=glob([a*,b?],exclude=c*)',
  'x=\'it\\\'s\',"quoted \\""',
  'x=sort(shuffle(a,b,c),reverse=true)',
  'x=${oc.env:HOME,${a.b[0]}}',
  'hydra.run.dir=outputs/${now:%Y}',
  'x=extend_list([1,2],3)',
  'x=float(int("3"))',
  `x=${'['.repeat(50)}${']'.repeat(50)}`,
];
const yamlPieces = [
  ...[
    'a',
    'b: ',
    '- ',
    ': ',
    '\n',
    '\n  ',
    '\n    ',
    '? ',
    '[',
    ']',
    '{',
    '}',
    ', ',
    '#',
    '|',
    '>',
    '|2-\n',
    '&x ',
    '*x',
  ],
  ...[
    "'",
    '"',
    '!!',
    '!!int ',
    '!!float 1',
    '!t ',
    '%YAML 1.1\n',
    '---\n',
    '...\n',
    '<<: ',
    '<<: *x',
    '~',
    'null',
    'yes',
  ],
  ...['0o7', '0x1f', '1:30', '1e3', '.inf', '2001-01-01', '=', '${a}', '???', '@', '`', '\\x', ...anything],
];
const yamlTexts = [
  'a: 1\nb:\n  - x\n  - {y: z}\n',
  'defaults:\n  - model: mlp\n  - _self_\nseed: 1\n',
  'x: &x {a: 1}\ny:\n  <<: *x\n  b: 2\n',
  'text: |\n  one\n   two\nfolded: >-\n  a\n  b\n',
  "\"quoted \\u00e9\": 'it''s'\n",
  '? [complex, key]\n: value\n',
  'a: [1, 2.5, .nan, ~, yes, 0x1F, 1_000, 2001-12-14]\n',
  'a: !!str 1\nb: !!float 1e-3\n',
  `a: ${'['.repeat(80)}${']'.repeat(80)}\n`,
  'a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n',
];

interface Tally {
  accepted: number;
  rejected: number;
}

/** Runs an input. What it throws must be a ConfigError that tells the place; nothing may take long. */
function attempt(text: string, step: () => void, tally: Tally): void {
  const started = performance.now();
  try {
    step();
    tally.accepted++;
  } catch (error) {
    tally.rejected++;
    const isFine = error instanceof ConfigError && error.origin !== undefined && isWithin(text, error);
    if (!isFine)
      throw new Error(`FUZZ_SEED=${seed}: ${JSON.stringify(text)} ended in ${inWords(error)}`, { cause: error });
  }
  // a machine that stood still for a while does not do so twice for the same text
  if (performance.now() - started < slowestMs || duration(step) < slowestMs) return;
  throw new Error(`FUZZ_SEED=${seed}: ${JSON.stringify(text)} took ${slowestMs} ms and more, twice`);
}

/** In ms, whatever comes of it. */
function duration(step: () => void): number {
  const started = performance.now();
  try {
    step();
  } catch {
    // what it throws was judged before
  }
  return performance.now() - started;
}

function isWithin(text: string, { origin }: ConfigError): boolean {
  if (origin?.kind === 'override')
    return origin.start >= 0 && origin.end >= origin.start && origin.start <= text.length;
  return origin?.kind === 'file' && origin.line >= 1 && origin.column >= 1;
}

function inWords(error: unknown): string {
  return error instanceof ConfigError ? `a rejection without a place: ${error.message}` : String(error);
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapMegabytes(): number {
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

/**
 * Tries `count` inputs; what lives on the heap after the first tenth must not have grown at the end. What V8 learns of the code
 * on the way counts too, so that a leak is one that goes on: 8 MB are a hundred bytes and more for each input.
 */
function fuzz(count: number, part: number, one: (source: Source, tally: Tally) => void): Tally {
  const source = new Source(seed + part);
  const tally = { accepted: 0, rejected: 0 };
  let settled = 0;
  for (let index = 0; index < count; index++) {
    if (index === Math.floor(count / 10)) settled = heapMegabytes();
    one(source, tally);
  }
  expect(heapMegabytes() - settled).toBeLessThan(8);
  return tally;
}

describe(`with seed ${seed}`, () => {
  test('overrides: read or refused with a place, and what is read prints as something that reads the same', () => {
    const tally = fuzz(50_000, 1, (source, counts) => {
      const text = source.below(3) === 0 ? source.soup(overridePieces) : source.mutated(overrideTexts, overridePieces);
      attempt(
        text,
        () => {
          const printed = printOverride(parseOverride(text));
          expect(printOverride(parseOverride(printed))).toBe(printed);
        },
        counts,
      );
    });
    expect(Math.min(tally.accepted, tally.rejected)).toBeGreaterThan(2000);
  }, 120_000);

  test('YAML: read or refused with a place, and what is read is written and read again', () => {
    const tally = fuzz(48_000, 2, (source, counts) => {
      const text = source.below(3) === 0 ? source.soup(yamlPieces) : source.mutated(yamlTexts, yamlPieces);
      attempt(
        text,
        () => {
          const written = toYaml(loadYaml(text, { source: 'fuzz.yaml' }));
          expect(toYaml(loadYaml(written, { source: 'written.yaml' }))).toBe(written);
        },
        counts,
      );
    });
    expect(Math.min(tally.accepted, tally.rejected)).toBeGreaterThan(2000);
  }, 120_000);

  test('compositions: overrides of any kind on a small tree', () => {
    const files = new MemorySource({
      'train.yaml': 'defaults:\n  - model: mlp\n  - _self_\nseed: 1\na: {b: [1, 2]}\nx: ${a.b}\n',
      'model/mlp.yaml': 'depth: 2\n',
      'model/cnn.yaml': 'defaults:\n  - /model: mlp\nwidth: ${..seed}\n',
    });
    const cache = new ConfigCache();
    const texts = [
      ...overrideTexts,
      'model=cnn',
      'seed=2',
      '+model@other=mlp',
      '~model',
      '++a.c=${x}',
      'a.b=extend_list(1)',
    ];
    const tally = fuzz(2000, 3, (source, counts) => {
      const text = source.mutated(texts, overridePieces);
      const request = { searchPath: [files], configName: 'train', overrides: [text], cache, env: {} };
      attempt(text, () => toYaml(compose(request).config), counts);
    });
    expect(Math.min(tally.accepted, tally.rejected)).toBeGreaterThan(50);
  }, 120_000);
});
