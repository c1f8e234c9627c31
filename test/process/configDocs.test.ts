import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runNode } from '../support/runNode.ts';

const root = join(import.meta.dirname, '..', '..');
const text = readFileSync(join(root, 'docs', 'config.md'), 'utf8');
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly exports: Readonly<Record<string, string>>;
};
const examples = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'accelhydra-docs-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the page has examples', () => expect(examples.length).toBeGreaterThan(4));

test.each(examples.map((code, index) => ({ index, code })))(
  'example $index prints what it says',
  async ({ index, code }) => {
    const entry = pathToFileURL(join(root, exports['./config'] ?? '')).href;
    const file = join(folder, `example${index}.ts`);
    writeFileSync(file, code.replaceAll("'accelhydra-studio/config'", JSON.stringify(entry)));
    const { code: exit, stdout, stderr } = await runNode([file]);
    expect([exit, stderr.replace(/^.*Warning.*\n?/gm, '').trim()]).toEqual([0, '']);
    const said = [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, line]) => line);
    expect(said.length).toBeGreaterThan(0);
    expect(stdout.trimEnd().split('\n')).toEqual(said);
  },
);
