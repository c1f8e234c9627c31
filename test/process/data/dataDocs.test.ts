import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runNode } from '../../support/runNode.ts';

const page = readFileSync(fileURLToPath(new URL('../../../docs/data.md', import.meta.url)), 'utf8');
const script = fileURLToPath(new URL('../../fixtures/data/dataDocs.ts', import.meta.url));
const yaml = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, text = '']) => text);
const modules = [...page.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```$/gms)];

let project: string;
beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), 'accelhydra-data-docs-'));
  write('configs/train.yaml', '{}\n');
  for (const [, file = '', code = ''] of modules) write(file, code);
  write('data/houses.csv', `rooms,price,city\n${'3,250.5,Bern\n'.repeat(6)}`);
  write('data/lines.txt', 'one\ntwo\nthree\nfour\n');
  const sentence = (length: number) => JSON.stringify({ tokens: Array(length).fill(7), duration: length, text: 'a' });
  write('data/sentences.jsonl', `${[2, 2, 2, 4, 4].map(sentence).join('\n')}\n`);
  for (const name of ['cat/a', 'cat/b', 'dog/a', 'dog/b']) {
    const picture = sharp({ create: { width: 60, height: 50, channels: 3, background: 'teal' } });
    write(`data/pets/${name}.jpg`, await picture.jpeg().toBuffer());
  }
  for (const name of ['a', 'b']) write(`data/clips/${name}.wav`, silence(8000, 9000));
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

function write(name: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(project, name)), { recursive: true });
  writeFileSync(join(project, name), content);
}

/** A WAV file of 16 bits. */
function silence(rate: number, frames: number): Uint8Array {
  const head = Buffer.from(
    'RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0\x02\0\x10\0data\0\0\0\0',
    'latin1',
  );
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(frames * 2, 40);
  return Buffer.concat([head, Buffer.alloc(frames * 2)]);
}

test('every example of the page builds a loader whose first batch is what the page says', async () => {
  const wanted = yaml.map((text) => /^# → (.*)$/m.exec(text)?.[1]);
  expect(modules.length).toBeGreaterThan(1);
  expect(wanted.length).toBeGreaterThan(6);
  write('examples.json', JSON.stringify(yaml));
  const { code, stdout, stderr } = await runNode([script], { cwd: project });
  expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
  expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toEqual(wanted);
});
