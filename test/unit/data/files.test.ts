import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import {
  CharDataset,
  CsvDataset,
  formatIdx,
  IdxDataset,
  JsonlDataset,
  parseCsv,
  readIdxFile,
  TextLinesDataset,
} from '../../../engine/data/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'data-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const images = formatIdx([2, 2, 2], Uint8Array.of(0, 255, 51, 102, 1, 2, 3, 4));
const labels = formatIdx([2], Uint8Array.of(7, 3));

test.each([
  { id: 'plain', pack: (bytes: Uint8Array) => bytes },
  { id: 'gzipped', pack: (bytes: Uint8Array) => gzipSync(bytes) },
])('reads $id IDX files', ({ id, pack }) => {
  const dataset = new IdxDataset({
    images: file(`${id}-images`, pack(images)),
    labels: file(`${id}-labels`, pack(labels)),
  });
  expect(dataset.length).toBe(2);
  const [image, label] = dataset.get(0);
  expect(image.shape).toEqual([2, 2, 1]);
  expect(Array.from(image.data, (value) => Math.round(value * 5))).toEqual([0, 5, 1, 2]);
  expect(label.data[0]).toBe(7);
  const [batch, batchLabels] = dataset.getBatch([1, 0]);
  expect(batch.shape).toEqual([2, 2, 2, 1]);
  expect([...batchLabels.data]).toEqual([3, 7]);
  expect([...batch.data.subarray(4)]).toEqual([...image.data]);
});

test('reads wider IDX types in big-endian order', () => {
  const bytes = Uint8Array.of(0, 0, 0x0d, 1, 0, 0, 0, 1, 0x3f, 0xc0, 0, 0);
  expect([...readIdxFile(file('floats', bytes)).data]).toEqual([1.5]);
});

test.each([
  { id: 'a wrong magic', content: Uint8Array.from(Buffer.from('%PNG....')), code: 'data.idx.magic' },
  { id: 'a short header', content: images.subarray(0, 9), code: 'data.idx.truncated' },
  { id: 'missing values', content: images.subarray(0, images.length - 1), code: 'data.idx.truncated' },
  { id: 'values left over', content: Uint8Array.from([...images, 0]), code: 'data.idx.length' },
  { id: 'a cut gzip', content: gzipSync(images).subarray(0, 20), code: 'data.idx.gzip' },
  { id: 'an empty file', content: new Uint8Array(0), code: 'data.idx.magic' },
])('names $id in an IDX file', ({ id, content, code }) => {
  const path = file(`bad ${id}`, content);
  expect(() => readIdxFile(path)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(path) }));
});

test('says that a file is missing and that files do not match', () => {
  expect(() => readIdxFile(join(folder, 'nowhere'))).toThrow(expect.objectContaining({ code: 'data.idx.read' }));
  const options = { images: file('i', images), labels: file('l', formatIdx([3], Uint8Array.of(1, 2, 3))) };
  expect(() => new IdxDataset(options)).toThrow(/do not belong together/);
});

test('text is read by lines or by windows of characters', () => {
  const path = file('text.txt', '\uFEFFabc\r\n\r\nbéa\n');
  const lines = new TextLinesDataset({ path });
  expect([lines.get(0), lines.get(1)]).toEqual(['abc', 'béa']);
  expect(lines.durations).toEqual([3, 3]);
  const windows = new CharDataset({ path: file('abc.txt', 'abcabcabca'), sequence_length: 3 });
  expect(windows.length).toBe(3);
  const [input, target] = windows.get(1);
  expect(windows.vocabulary.decode(Array.from(input.data))).toBe('abc');
  expect(windows.vocabulary.decode(Array.from(target.data))).toBe('bca');
  expect(() => windows.vocabulary.encode('z')).toThrow(/"z"/);
  expect(() => new CharDataset({ path, sequence_length: 100 })).toThrow(/fewer than one sample/);
  expect(() => new TextLinesDataset({ path: file('latin', Uint8Array.of(0xe9, 0x0a)) })).toThrow(/not UTF-8/);
});

test('CSV columns are numbers or text as a whole', () => {
  const dataset = new CsvDataset({ path: file('t.csv', 'a,b,c\n1,2.0,"x, ""y"""\n2,3,4\n') });
  const row = dataset.get(0);
  expect(row).toMatchObject({ a: { dtype: 'int32' }, b: { dtype: 'float32' }, c: 'x, "y"' });
  expect(() => new CsvDataset({ path: file('u.csv', 'speed,size\n1,2\n'), columns: ['sped'] })).toThrow(
    /Did you mean 'speed'/,
  );
});

test.each([
  {
    id: 'line breaks in quotes',
    text: '"a\nb",c\r\nd,e',
    rows: [
      ['a\nb', 'c'],
      ['d', 'e'],
    ],
  },
  {
    id: 'empty fields',
    text: ',\n1,',
    rows: [
      ['', ''],
      ['1', ''],
    ],
  },
])('CSV: $id', ({ text, rows }) => {
  expect(parseCsv(text, 'x.csv')).toEqual(rows);
});

test('CSV and JSONL errors name the line', () => {
  expect(() => parseCsv('a,b\n1\n', 'x.csv')).toThrow(/x\.csv:2/);
  expect(() => parseCsv('a,"b\n1\n', 'x.csv')).toThrow(/x\.csv:1.*never closed/);
  const path = file('t.jsonl', '{"duration": 1}\n\n{oops}\n');
  expect(() => new JsonlDataset({ path })).toThrow(/t\.jsonl:3/);
  const good = new JsonlDataset({ path: file('good.jsonl', '{"duration": 1}\n{"duration": 2}\n') });
  expect(good.durations).toEqual([1, 2]);
});
