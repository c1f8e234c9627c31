import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type ConfigNode,
  createResolverRegistry,
  describeOrigin,
  fullKeyOf,
  loadYaml,
  ResolveContext,
  resolve,
  toPlain,
} from '../../../engine/config/index.ts';
import { loadResolvers, restoreOrigins } from '../../../engine/instantiate/index.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'accelhydra-runtime-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("a project's resolvers", () => {
  const importModule = (url: string): Promise<object> => import(/* @vite-ignore */ fileURLToPath(url));
  const load = async (source: string, yaml: string): Promise<unknown> => {
    const file = join(folder, 'resolvers.mjs');
    writeFileSync(file, source);
    const resolvers = createResolverRegistry();
    await loadResolvers(file, resolvers, importModule);
    return toPlain(resolve(loadYaml(yaml), new ResolveContext({ resolvers })));
  };

  test('are the functions that the module exports', async () => {
    const source =
      'export const half = (value) => value / 2; export const text = 3; export function both(a, b) { return [a, b]; }';
    expect(await load(source, 'a: ${half:3}\nb: ${both:1,x}\n')).toEqual({ a: 1.5, b: [1, 'x'] });
  });

  test('or what its register says', async () => {
    const source = "export function register(registry) { registry.register('ns.add', (a, b) => a + b); }";
    expect(await load(source, 'a: ${ns.add:1,2}\n')).toEqual({ a: 3 });
  });

  test('that take a name which is there already are refused, with the module', async () => {
    await expect(load('export const len = () => 0;', 'a: 1\n')).rejects.toMatchObject({
      code: 'project.resolvers-failed',
      message: expect.stringContaining("The resolver 'len' is already registered"),
    });
  });

  test('that cannot be loaded are told with the cause', async () => {
    await expect(load("throw new Error('broken')", 'a: 1\n')).rejects.toMatchObject({
      code: 'project.resolvers-failed',
      message: expect.stringContaining('resolvers.mjs could not be registered: Error: broken'),
    });
  });
});

describe('origins recorded with a run', () => {
  const config = () => loadYaml('a: {b: [1, 2]}\nc: 3\nd: 4\n', { source: 'config.yaml' });
  const origins = (recorded: unknown): Record<string, string> => {
    const node = config();
    restoreOrigins(node, recorded);
    const found: Record<string, string> = {};
    const visit = (child: ConfigNode): void => {
      if (child.kind === 'list') child.items.forEach(visit);
      else if (child.kind === 'dict') for (const inner of child.values()) visit(inner);
      else found[fullKeyOf(child)] = child.origin === undefined ? '' : describeOrigin(child.origin);
    };
    visit(node);
    return found;
  };

  test('come back to their values', () => {
    const recorded = {
      'a.b[1]': { kind: 'file', file: 'configs/a.yaml', line: 7, column: 3, text: '2' },
      c: { kind: 'override', index: 1, override: 'c=3', start: 2, end: 3, text: '3' },
    };
    expect(origins(recorded)).toEqual({
      'a.b[0]': 'config.yaml:1:9',
      'a.b[1]': 'configs/a.yaml:7:3',
      c: 'override 2 (c=3)',
      d: 'config.yaml:3:4',
    });
  });

  test.each([
    { id: 'nothing', recorded: undefined },
    { id: 'something else', recorded: { c: { line: 1 } } },
  ])('are left out where there is $id', ({ recorded }) => {
    expect(origins(recorded).c).toBe('config.yaml:2:4');
  });
});
