import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  ConfigCache,
  ConfigError,
  type ConfigSource,
  compose,
  configText,
  expandSweep,
  explainAll,
  FileSource,
  groupOptions,
  infoText,
  listGroups,
  MemorySource,
  resolve,
  toYaml,
} from '../../../../engine/config/index.ts';

type Files = readonly (readonly [path: string, text: string])[];
type Order = <T>(items: readonly T[]) => readonly T[];

const fixedTime = { now: () => 1_700_000_000_000 };
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'determinism-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A source that lists its files in another order, as another file system would. */
function listedAs(source: ConfigSource, order: Order): ConfigSource {
  return {
    provider: source.provider,
    url: source.url,
    available: () => source.available(),
    stat: (name) => source.stat(name),
    list: (name) => order(source.list(name)),
    read: (name) => source.read(name),
    display: (name) => source.display(name),
  };
}

function inMemory(files: Files, order: Order): ConfigSource {
  return listedAs(new MemorySource(Object.fromEntries(order(files)), { url: 'memory://tree' }), order);
}

function onDisk(files: Files, order: Order): ConfigSource {
  rmSync(directory, { recursive: true, force: true });
  for (const [name, text] of order(files)) {
    mkdirSync(path.dirname(path.join(directory, name)), { recursive: true });
    writeFileSync(path.join(directory, name), text);
  }
  return listedAs(new FileSource(directory, { cwd: directory }), order);
}

/** Everything that a composition says, as one text: values, order of keys, origins, losers, choices, or the failure. */
function everythingSaid(source: ConfigSource, overrides: readonly string[], cache: ConfigCache): string {
  const request = { searchPath: [source], configName: 'config', overrides, env: { A: 'a' }, cache, clock: fixedTime };
  const told: unknown[] = [attempt(() => listGroups(request)), attempt(() => groupOptions(request, 'g0'))];
  const glob = (group: string) => groupOptions(request, group).map(({ name }) => name);
  told.push(attempt(() => expandSweep(['g0=glob(*)', 'n=range(3)'], { groupOptions: glob })));
  const composed = attempt(() => {
    const composition = compose(request);
    told.push(toYaml(composition.config));
    told.push([...explainAll(composition)].map(([key, { winner, beaten, trail }]) => [key, winner, beaten, trail]));
    told.push(infoText(request, 'all'), configText(composition, { part: 'all' }));
    told.push(attempt(() => toYaml(resolve(composition.config, composition.context))));
    return 'composed';
  });
  return JSON.stringify([...told, composed], (_, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`;
    return value instanceof Map ? [...value] : value;
  });
}

function attempt(step: () => unknown): unknown {
  try {
    return step();
  } catch (error) {
    if (error instanceof ConfigError) return error.describe();
    throw error;
  }
}

const groups = ['g0', 'g1', 'g2', 'g0/sub'];
const options = ['a', 'b', 'c'];
const entry = fc.oneof(
  fc.tuple(fc.constantFrom(...groups), fc.constantFrom(...options)).map(([group, option]) => `/${group}: ${option}`),
  fc
    .tuple(fc.constantFrom(...groups), fc.constantFrom('p', 'q.r', '_global_'), fc.constantFrom(...options))
    .map(([group, pkg, option]) => `/${group}@${pkg}: ${option}`),
  fc.constantFrom('_self_', '/g1: [a, b]', 'optional /g2: none', '/g2: null'),
);
const scalar = fc.constantFrom(
  '1',
  '0.5',
  'text',
  '${n}',
  '${.k0}',
  '${oc.env:A}',
  '${now:%Y}',
  '???',
  'null',
  '[1, {x: 2}]',
);
const content = fc.dictionary(fc.constantFrom('k0', 'k1', 'k2', 'deep', '1', 'a b'), scalar, { maxKeys: 4 });
/** A file with a defaults list; files of other groups than g0 have none, or most trees would go round in circles. */
const text = fc
  .tuple(fc.uniqueArray(entry, { maxLength: 3, selector: (one) => one.replace(/:.*/, '') }), content)
  .map(([entries, values]) =>
    [
      ...(entries.length === 0 ? [] : ['defaults:', ...entries.map((one) => `- ${one}`)]),
      ...Object.entries(values).map(([key, value]) => `${key}: ${value}`),
    ].join('\n'),
  );
const values = content.map((keys) =>
  Object.entries(keys)
    .map(([key, value]) => `${key}: ${value}`)
    .join('\n'),
);
const nested = fc
  .tuple(
    fc.constantFrom('', 'defaults: [/g1: b]\n', 'defaults:\n- _self_\n- /g2@deep: c\n', 'defaults: [sub: a]\n'),
    values,
  )
  .map(([list, keys]) => list + keys);
const tree = fc.tuple(text, fc.array(fc.tuple(values, nested), { minLength: 12, maxLength: 12 })).map(
  ([config, others]): Files => [
    ['config.yaml', `${config.startsWith('defaults') ? config : `defaults:\n- g0: a\n${config}`}\nn: 1\n`],
    ['x/over.yaml', '# @package _global_\ndefaults:\n- override /g0: c\nn: 5\n'],
    ['x/named.yaml', 'defaults:\n- /g1@named: ${g0}\n'],
    ...others.map(([values, one], index) => {
      const group = groups[index % 4] ?? '';
      return [`${group}/${options[index % 3]}.yaml`, group === 'g0' ? one : values] as const;
    }),
  ],
);
const override = fc.constantFrom(
  ...[
    'g0=b',
    'g0=nope',
    'g1=c',
    '+g2=a',
    '~g0',
    'g0@p=c',
    '++g0.k0=7',
    '+new.k=[1,{b: 2}]',
    '~n',
    'n=2',
    'n=${oc.env:A}',
  ],
);

test('compose is deterministic: the same tree and overrides give the same bytes, whatever the order of files and the cache', () => {
  let composed = 0;
  fc.assert(
    fc.property(tree, fc.uniqueArray(override, { maxLength: 3 }), fc.infiniteStream(fc.nat()), (files, given, keys) => {
      const shuffled: Order = (items) =>
        items
          .map((item) => ({ item, key: keys.next().value }))
          .toSorted((a, b) => a.key - b.key)
          .map(({ item }) => item);
      const reversed: Order = (items) => items.toReversed();
      const cache = new ConfigCache();
      const first = everythingSaid(
        inMemory(files, (items) => items),
        given,
        cache,
      );
      if (first.endsWith('"composed"]')) composed++;
      expect(everythingSaid(inMemory(files, reversed), given, new ConfigCache())).toBe(first);
      const warm = inMemory(files, shuffled);
      expect(everythingSaid(warm, given, cache)).toBe(first);
      // What others composed meanwhile leaves no trace.
      attempt(() => compose({ searchPath: [warm], configName: 'config', overrides: ['++n=99', '++k0.x=1'], cache }));
      expect(everythingSaid(warm, given, cache)).toBe(first);

      const disk = everythingSaid(onDisk(files, reversed), given, new ConfigCache());
      const again = onDisk(files, shuffled);
      expect(everythingSaid(again, given, cache)).toBe(disk);
      expect(everythingSaid(again, given, cache)).toBe(disk);
    }),
    { numRuns: 20, seed: 7 },
  );
  // Of trees that fail there is little to say.
  expect(composed).toBeGreaterThan(6);
});
