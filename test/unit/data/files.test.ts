import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
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

test.each([
  { id: 'CsvDataset', make: (path: string) => new CsvDataset({ path }) },
  { id: 'JsonlDataset', make: (path: string) => new JsonlDataset({ path }) },
  { id: 'TextLinesDataset', make: (path: string) => new TextLinesDataset({ path }) },
  { id: 'CharDataset', make: (path: string) => new CharDataset({ path, sequence_length: 3 }) },
])('$id without a path says so', ({ id, make }) => {
  // a config's null is no text, whatever the types promise
  const nothing: string = JSON.parse('null');
  for (const [path, said] of [
    ['', 'missing'],
    [nothing, 'null'],
  ] as const) {
    expect(() => make(path)).toThrow(`${id} needs 'path', a path; it is ${said}.`);
  }
});

test('says that a file is missing and that files do not match', () => {
  expect(() => readIdxFile(join(folder, 'nowhere'))).toThrow(expect.objectContaining({ code: 'data.idx.read' }));
  const options = { images: file('i', images), labels: file('l', formatIdx([3], Uint8Array.of(1, 2, 3))) };
  expect(() => new IdxDataset(options)).toThrow(/do not belong together/);
  const swapped = { images: options.labels, labels: options.images };
  expect(() => new IdxDataset(swapped)).toThrow(/has no images but 3 single values, as a file of labels has/);
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
    text: 'x,y\n"a\nb",c\r\nd,e',
    rows: [
      { x: 'a\nb', y: 'c' },
      { x: 'd', y: 'e' },
    ],
  },
  {
    id: 'empty fields, and text that looks like a number',
    text: 'x,y\n,\n1a,',
    rows: [
      { x: '', y: '' },
      { x: '1a', y: '' },
    ],
  },
  { id: 'a quote inside a plain field', text: 'x,y\n5" pipe,b\n', rows: [{ x: '5" pipe', y: 'b' }] },
  { id: 'a delimiter in quotes, doubled quotes', text: 'x,y\n"a,""b""",c\n', rows: [{ x: 'a,"b"', y: 'c' }] },
  {
    id: 'line ends of CR alone, one in quotes',
    text: 'x,y\ra,"1\r2"\r\rb,c',
    rows: [
      { x: 'a', y: '1\r2' },
      { x: 'b', y: 'c' },
    ],
  },
  {
    id: 'line ends of all three kinds',
    text: 'x,y\r\na,b\rc,d\n',
    rows: [
      { x: 'a', y: 'b' },
      { x: 'c', y: 'd' },
    ],
  },
  { id: 'a byte order mark and empty lines', text: '\uFEFFx,y\n\nä,b\n\n', rows: [{ x: 'ä', y: 'b' }] },
])('CSV: $id', ({ text, rows }) => {
  const dataset = new CsvDataset({ path: file('x.csv', text) });
  expect(Array.from({ length: dataset.length }, (_, i) => dataset.get(i))).toEqual(rows);
});

test('CSV: dtypes, a chosen delimiter, no header, durations', () => {
  const path = file('t.tsv', 'n\tok\tduration\n1\ttrue\t0.5\n2\tFALSE\t1.5\n');
  const typed = new CsvDataset({ path, dtypes: { n: 'string', ok: 'bool' } });
  expect(typed.get(1)).toMatchObject({ n: '2', ok: { dtype: 'bool', data: Uint8Array.of(0) } });
  expect(typed.durations).toEqual([0.5, 1.5]);
  const bare = new CsvDataset({
    path: file('bare.csv', '1;;3\n4;5;6\n'),
    delimiter: ';',
    header: false,
    columns: ['1'],
  });
  expect(bare.get(0)).toMatchObject({ 1: { dtype: 'float32', data: Float32Array.of(Number.NaN) } });
  expect(bare.length).toBe(2);
});

test.each(['\r', '\r\n'])('CSV: a chunk may end within a line end (%j)', (end) => {
  const long = 'p'.repeat(2 ** 20 - 1 - `x,y${end},q`.length);
  const dataset = new CsvDataset({ path: file('ends.csv', ['x,y', `${long},q`, 'r,s', ''].join(end)) });
  expect([dataset.length, dataset.get(0).y, dataset.get(1)]).toEqual([2, 'q', { x: 'r', y: 's' }]);
});

test('CSV: whole numbers keep every digit, or are rounded because one says so', () => {
  const read = (text: string, dtypes?: Record<string, 'float32' | 'string'>) =>
    new CsvDataset({ path: file('ids.csv', text), ...(dtypes ? { dtypes } : {}) }).get(0).id;
  expect(read('id\n16777217\n-2147483648\n')).toMatchObject({ dtype: 'int32', data: Int32Array.of(16_777_217) });
  expect(read('id\n16777217\n0.5\n')).toMatchObject({ dtype: 'float32' });
  expect(read('id\n4294967296\n\n')).toMatchObject({ data: Float32Array.of(2 ** 32) });
  expect(read('id\n3000000001\n', { id: 'string' })).toBe('3000000001');
  expect(read('id\n3000000001\n', { id: 'float32' })).toMatchObject({ data: Float32Array.of(3e9) });
});

test('rows and lines are found across the chunks in which a large file is read', () => {
  const rows = Array.from({ length: 60_000 }, (_, i) => `${i},"text\n${'é'.repeat(i % 17)}""${i}"`);
  const csv = new CsvDataset({ path: file('large.csv', `id,text\n${rows.join('\n')}\n`) });
  const lines = new TextLinesDataset({ path: file('large.txt', rows.join('\n').replaceAll('"', '')) });
  expect([csv.length, lines.length]).toEqual([60_000, 120_000]);
  for (const index of [0, 1, 31_234, 44_444, 59_999]) {
    expect(csv.get(index)).toMatchObject({
      id: { data: Int32Array.of(index) },
      text: `text\n${'é'.repeat(index % 17)}"${index}`,
    });
    expect(lines.get(index * 2 + 1)).toBe(`${'é'.repeat(index % 17)}${index}`);
  }
});

test.each([
  { id: 'a short row', text: 'a,b\n1\n', options: {}, message: /x\.csv:2: this row has 1 fields/ },
  {
    id: 'an open quote',
    text: 'a,b\n1,2\n3,"b\n1\n',
    options: {},
    message: /x\.csv:3: a quoted field is never closed/,
  },
  {
    id: 'a value of another dtype',
    text: 'a\n1\n\n1.5\n',
    options: { dtypes: { a: 'int32' } },
    message: /x\.csv:4: "1\.5" in column 'a' is no int32/,
  },
  {
    id: 'an id beyond int32',
    text: 'id,a\r3,x\r3000000001,y\r',
    options: {},
    message: /x\.csv:3: 3000000001 in column 'id' would lose its last digits.* dtypes: \{"id": string\}/,
  },
  {
    id: 'a large id where another is empty',
    text: 'id,a\n16777217,x\n,y\n',
    options: {},
    message: /x\.csv:2: 16777217 in column 'id' would lose its last digits/,
  },
  { id: 'a dtype for no column', text: 'a\n1\n', options: { dtypes: { b: 'int32' } }, message: /no column 'b'/ },
  { id: 'a column twice', text: 'a,a\n1,2\n', options: {}, message: /'a' is there twice/ },
  {
    id: 'other encodings',
    text: Uint8Array.of(0x61, 0x0a, 0xe9, 0x0a),
    options: {},
    message: /x\.csv:2 is not UTF-8/,
  },
  { id: 'a delimiter of two characters', text: 'a', options: { delimiter: '||' }, message: /one character/ },
])('CSV refuses $id with the line', ({ text, options, message }) => {
  const path = file('x.csv', text);
  expect(() => new CsvDataset({ path, ...(options as object) })).toThrow(message);
});

test('JSONL errors name the line, at once or when it is read', () => {
  const path = file('t.jsonl', '{"duration": 1}\n\n{oops}\n');
  expect(() => new JsonlDataset({ path })).toThrow(/t\.jsonl:3/);
  const unchecked = new JsonlDataset({ path, check: false });
  expect(unchecked.get(0)).toEqual({ duration: 1 });
  expect(() => unchecked.get(1)).toThrow(/t\.jsonl:3/);
  const good = new JsonlDataset({ path: file('good.jsonl', '{"duration": 1}\n{"duration": 2}\n') });
  expect(good.durations).toEqual([1, 2]);
  expect(() => new JsonlDataset({ path: join(folder, 'nowhere.jsonl') })).toThrow(/nowhere\.jsonl cannot be read/);
});

test('a file that became shorter is told, not read as rubbish', () => {
  const path = file('shrinks.txt', 'one\ntwo\nthree\n');
  const lines = new TextLinesDataset({ path });
  truncateSync(path, 5);
  expect(lines.get(0)).toBe('one');
  expect(() => lines.get(2)).toThrow(/became shorter/);
});
