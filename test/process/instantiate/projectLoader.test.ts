import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const LOADER = fileURLToPath(new URL('../../../engine/instantiate/loader/registerProjectLoader.ts', import.meta.url));

let project: string;

beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'accelhydra-loader-'));
});

afterEach(() => {
  rmSync(project, { recursive: true, force: true });
});

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(project, name)), { recursive: true });
    writeFileSync(join(project, name), text);
  }
}

/** Runs `body` in a process of its own, outside this repository, with the loader registered. */
async function inProject(body: string, sourceRoots: readonly string[] = ['.']): Promise<unknown> {
  const roots = sourceRoots.map((root) => join(project, root));
  const script = `
    import { registerProjectLoader } from ${JSON.stringify(LOADER)};
    registerProjectLoader({ sourceRoots: ${JSON.stringify(roots)} });
    const load = (name) => import(${JSON.stringify(`file://${project}/`)} + name);
    const result = await (async () => { ${body} })();
    console.log(JSON.stringify(result));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: project });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? 'null');
}

describe('project code without a build step', () => {
  test.each([
    {
      id: 'an enum and a class with parameter properties',
      files: { 'a.ts': 'enum Kind { One = 1, Two } export class A { constructor(public kind: Kind = Kind.Two) {} }' },
      body: `return new (await load('a.ts')).A().kind;`,
      expected: 2,
    },
    {
      id: 'an import without an ending, and of a folder',
      files: {
        'a.ts': `import { b } from './lib/b'; import { c } from './lib'; export const sum: number = b + c;`,
        'lib/b.ts': 'export const b = 40;',
        'lib/index.ts': 'export const c = 2;',
      },
      body: `return (await load('a.ts')).sum;`,
      expected: 42,
    },
    {
      id: 'a .js written for a .ts file',
      files: { 'a.ts': `export { b } from './b.js';`, 'b.ts': 'export const b = 1 as number;' },
      body: `return (await load('a.ts')).b;`,
      expected: 1,
    },
    {
      id: 'a type imported without saying so',
      files: {
        'a.ts': `import { Size, size } from './b'; const s: Size = size; export const n = s.n;`,
        'b.ts': 'export interface Size { n: number } export const size: Size = { n: 7 };',
      },
      body: `return (await load('a.ts')).n;`,
      expected: 7,
    },
    {
      id: 'JavaScript with an import without an ending',
      files: { 'a.mjs': `export { b } from './b';`, 'b.ts': 'export const b: string = "b";' },
      body: `return (await load('a.mjs')).b;`,
      expected: 'b',
    },
    {
      id: 'JSON and a package of the project',
      files: {
        'a.ts': `import data from './data.json' with { type: 'json' }; import { twice } from 'tiny'; export const n = twice(data.n);`,
        'data.json': '{"n": 21}',
        'node_modules/tiny/package.json': '{"name":"tiny","version":"1.0.0","main":"index.js"}',
        'node_modules/tiny/index.js': 'exports.twice = (n) => 2 * n;',
      },
      body: `return (await load('a.ts')).n;`,
      expected: 42,
    },
    {
      id: 'a package of ours where the project has none',
      files: { 'a.ts': `import { parse } from 'yaml'; export const value: unknown = parse('[1, 2]');` },
      body: `return (await load('a.ts')).value;`,
      expected: [1, 2],
    },
    {
      id: 'a require in a .cts file',
      files: { 'a.cts': `const b = require('./b'); exports.n = b.n as number;`, 'b.cts': 'exports.n = 3 as number;' },
      body: `return (await load('a.cts')).n;`,
      expected: 3,
    },
  ])('$id', async ({ files, body, expected }) => {
    write(files);
    expect(await inProject(body)).toEqual(expected);
  });

  test('TensorFlow.js is the one copy that the engine uses', async () => {
    write({
      'a.ts': `import * as tf from '@tensorflow/tfjs'; import { Tensor } from '@tensorflow/tfjs-core';
        export const x: tf.Tensor = tf.tensor([1, 2]); export const same = x instanceof Tensor; export { tf };`,
    });
    const body = `
      const { createRequire } = await import('node:module');
      const engine = createRequire(${JSON.stringify(LOADER)})('@tensorflow/tfjs');
      const a = await load('a.ts');
      return [a.same, a.x instanceof engine.Tensor, a.tf.tensor === engine.tensor];`;
    expect(await inProject(body)).toEqual([true, true, true]);
  });

  test('an error shows the line that the person wrote', async () => {
    write({
      'models/broken.ts':
        'interface Size { n: number }\n\nenum Kind { A }\n\nexport function build(size: Size): Kind {\n  throw new Error(String(size.n));\n}\n',
    });
    const body = `try { (await load('models/broken.ts')).build({ n: 1 }); } catch (error) { return error.stack; }`;
    expect(await inProject(body)).toContain('models/broken.ts:6:');
  });

  test('a syntax error names file, line and column', async () => {
    write({ 'a.ts': 'export const a = 1;\nexport const b = ;\n' });
    const body = `try { await load('a.ts'); } catch (error) { return [error.code, error.message]; }`;
    const [code, message] = (await inProject(body)) as [string, string];
    expect(code).toBe('instantiate.module-failed');
    expect(message).toContain('a.ts:2:18: Unexpected ";"');
  });

  test('a layer that the package lacks is answered with the one that is nearly called so', async () => {
    write({ 'models/ear.ts': `import { Conv1d } from 'accelhydra-studio';\nexport const layer = Conv1d;\n` });
    const locate = new URL('../../../engine/instantiate/locate/projectTargets.ts', import.meta.url).href;
    const body = `
      const { locateInProject } = await import(${JSON.stringify(locate)});
      const project = { sourceRoots: [${JSON.stringify(project)}] };
      return locateInProject('models.ear.layer', project, () => undefined).then(String, (error) => error.message);`;
    expect(await inProject(body)).toContain("named 'Conv1d'. Did you mean 'Conv2d'?");
  });

  test('a package outside the source roots is left to Node', async () => {
    write({
      'src/a.ts': 'export const a: number = 1;',
      'other/b.ts': `import { c } from './c'; export const b = c;`,
      'other/c.ts': 'export const c = 1;',
    });
    const body = `const a = (await load('src/a.ts')).a; try { await load('other/b.ts'); } catch (error) { return [a, error.code]; }`;
    expect(await inProject(body, ['src'])).toEqual([1, 'ERR_MODULE_NOT_FOUND']);
  });

  test('a child that imported project code ends by itself', async () => {
    write({ 'a.ts': 'export const a: number = 1;' });
    const started = Date.now();
    expect(await inProject(`return (await load('a.ts')).a;`)).toBe(1);
    expect(Date.now() - started).toBeLessThan(20_000);
  });
});
