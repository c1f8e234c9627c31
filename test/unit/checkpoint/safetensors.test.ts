import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { EngineError } from '../../../engine/api/errors.ts';
import {
  openSafetensors,
  parseSafetensors,
  type TensorSource,
  toTensorValues,
  writeSafetensors,
} from '../../../engine/checkpoint/index.ts';

const pythonFile = join(import.meta.dirname, '..', '..', 'fixtures', 'checkpoint', 'python.safetensors');

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function temporaryFile(bytes: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'safetensors-'));
  folders.push(folder);
  writeFileSync(join(folder, 'x.safetensors'), bytes);
  return join(folder, 'x.safetensors');
}

async function written(tensors: readonly TensorSource[], metadata = {}): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  await writeSafetensors({ write: async (bytes) => void chunks.push(bytes.slice()) }, tensors, metadata);
  return Uint8Array.from(Buffer.concat(chunks));
}

function fileOf(header: unknown, data = 0): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

test('a file written by Python is read, every dtype of it', () => {
  const tensors = parseSafetensors(Uint8Array.from(readFileSync(pythonFile)), pythonFile);
  const values = Object.fromEntries([...tensors].map(([name, tensor]) => [name, toTensorValues(tensor)]));
  expect(values['conv1.weight']).toEqual({
    values: Float32Array.of(0, 0.25, 0.5, 0.75, 1, 1.25),
    shape: [2, 3],
    dtype: 'float32',
  });
  const [one, two, largest, smallest, ...rest] = values.half?.values ?? [];
  expect([one, two, largest]).toEqual([1.5, -2, 65504]);
  expect(smallest).toBe(2 ** -24);
  expect(rest).toEqual([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]);
  expect(values.brain?.values[0]).toBe(1.5);
  expect(values.brain?.values[2]).toBeCloseTo(1e30, -28);
  expect(values.double).toEqual({ values: Float32Array.of(0.1), shape: [], dtype: 'float32' });
  expect(values.long).toEqual({ values: Int32Array.of(1, -2, 3, 2 ** 31 - 1), shape: [2, 2], dtype: 'int32' });
  expect(values.mask).toEqual({ values: Uint8Array.of(1, 0, 1), shape: [3], dtype: 'bool' });
  expect(values.bytes).toEqual({ values: Int32Array.of(0, 255), shape: [2], dtype: 'int32' });
  expect(values.int).toEqual({ values: Int32Array.of(-5), shape: [1], dtype: 'int32' });
  expect(values.empty).toEqual({ values: new Float32Array(), shape: [0, 3], dtype: 'float32' });
});

test('our writer gives the very bytes that Python wrote', async () => {
  const bytes = Uint8Array.from(readFileSync(pythonFile));
  const file = await openSafetensors(pythonFile);
  const tensors = await Promise.all([...file.header.tensors.keys()].map((name) => file.read(name)));
  const metadata = Object.fromEntries(file.header.metadata);
  await file.close();
  expect(Buffer.from(await written(tensors, metadata)).toString('latin1')).toBe(Buffer.from(bytes).toString('latin1'));
});

const anyTensor = fc
  .record({
    dtype: fc.constantFrom(
      'F32' as const,
      'I32' as const,
      'U8' as const,
      'BOOL' as const,
      'F16' as const,
      'I64' as const,
    ),
    shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
    seed: fc.integer(),
  })
  .map(({ dtype, shape, seed }) => {
    const size = shape.reduce((product, extent) => product * extent, 1);
    const numbers = Array.from({ length: size }, (_, index) => Math.abs((seed ^ (index * 2654435761)) % 200));
    const data = {
      F32: () => Float32Array.from(numbers, (value) => value / 3),
      I32: () => Int32Array.from(numbers, (value) => -value),
      U8: () => Uint8Array.from(numbers),
      BOOL: () => Uint8Array.from(numbers, (value) => value % 2),
      F16: () => Uint16Array.from(numbers),
      I64: () => BigInt64Array.from(numbers, (value) => BigInt(value) * -3n),
    }[dtype]();
    return { dtype, shape, data };
  });

test('what is written is read back, whatever names, dtypes and shapes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.string({ minLength: 1 }), anyTensor, { maxKeys: 6 }), async (tensors) => {
      const sources = Object.entries(tensors)
        .filter(([name]) => name !== '__metadata__')
        .map(([name, tensor]) => ({ name, ...tensor }));
      const read = parseSafetensors(await written(sources, { made: 'by us' }), 'memory');
      expect([...read.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual(
        sources.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      );
    }),
    { numRuns: 200 },
  );
});

test('data starts at a multiple of 8, so that nothing need be copied', async () => {
  const bytes = await written([{ name: 'a', dtype: 'F64', shape: [1], data: Float64Array.of(1) }]);
  expect(bytes.length % 8).toBe(0);
  expect(parseSafetensors(bytes, 'memory').get('a')?.data.buffer).toBe(bytes.buffer);
});

test('data given as a function is asked for only when its turn comes', async () => {
  const order: string[] = [];
  const lazy = (name: string): TensorSource => ({
    name,
    dtype: 'F32',
    shape: [1],
    data: async () => {
      order.push(`read ${name}`);
      return Float32Array.of(1);
    },
  });
  const sink = { write: async (bytes: Uint8Array) => void order.push(`write ${bytes.length}`) };
  await writeSafetensors(sink, [lazy('a'), lazy('b')]);
  expect(order.slice(1)).toEqual(['read a', 'write 4', 'read b', 'write 4']);
});

const f32 = (begin: number, end: number, shape: unknown = [1]) => ({ dtype: 'F32', shape, data_offsets: [begin, end] });

test.each([
  { id: 'an empty file', bytes: new Uint8Array(), reason: /only 0 bytes/ },
  {
    id: "torch.save's archive",
    bytes: Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 0, 0, 0),
    reason: /a zip archive, as torch\.save/,
  },
  {
    id: 'a pickle',
    bytes: Uint8Array.of(0x80, 2, 0x7d, 0x71, 0),
    reason: /a pickle.* Convert it in Python: safetensors\.torch/,
  },
  { id: 'a cut length', bytes: new Uint8Array(5), reason: /only 5 bytes/ },
  { id: 'a giant header', bytes: new Uint8Array(16).fill(0xff), reason: /would have 18446744073709551615 bytes/ },
  { id: 'a cut header', bytes: fileOf({ a: f32(0, 4) }, 4).slice(0, 20), reason: /cut off/ },
  { id: 'no JSON', bytes: fileOf('{"a":'), reason: /no JSON/ },
  { id: 'no UTF-8', bytes: Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe), reason: /no JSON/ },
  { id: 'a JSON list', bytes: fileOf([]), reason: /no JSON object/ },
  { id: 'a tensor that is a number', bytes: fileOf({ a: 1 }), reason: /not described/ },
  { id: 'an unknown dtype', bytes: fileOf({ a: { ...f32(0, 4), dtype: 'Q4' } }, 4), reason: /"Q4"/ },
  {
    id: 'a dtype of the object itself',
    bytes: fileOf({ a: { ...f32(0, 4), dtype: 'toString' } }, 4),
    reason: /toString/,
  },
  { id: 'a negative extent', bytes: fileOf({ a: f32(0, 4, [-1]) }, 4), reason: /no valid shape/ },
  { id: 'a fractional extent', bytes: fileOf({ a: f32(0, 4, [0.5]) }, 4), reason: /no valid shape/ },
  {
    id: 'an overflowing shape',
    bytes: fileOf({ a: f32(0, 4, [2 ** 52, 2 ** 52, 2 ** 52]) }, 4),
    reason: /needs \d{40,} bytes/,
  },
  {
    id: 'one offset',
    bytes: fileOf({ a: { dtype: 'F32', shape: [1], data_offsets: [0] } }, 4),
    reason: /data_offsets/,
  },
  { id: 'an end before the begin', bytes: fileOf({ a: f32(4, 0) }, 4), reason: /ends before/ },
  { id: 'a size that is not the shape', bytes: fileOf({ a: f32(0, 8) }, 8), reason: /needs 4 bytes, but has 8/ },
  { id: 'overlapping tensors', bytes: fileOf({ a: f32(0, 8, [2]), b: f32(4, 12, [2]) }, 12), reason: /overlaps/ },
  { id: 'a gap', bytes: fileOf({ a: f32(0, 4), b: f32(8, 12) }, 12), reason: /gap/ },
  { id: 'the same bytes twice', bytes: fileOf({ a: f32(0, 4), b: f32(0, 4) }, 4), reason: /overlaps/ },
  { id: 'cut data', bytes: fileOf({ a: f32(0, 4) }, 3), reason: /need 4 bytes, but 3/ },
  { id: 'bytes behind the data', bytes: fileOf({ a: f32(0, 4) }, 9), reason: /behind the last tensor/ },
  { id: 'metadata that is no text', bytes: fileOf({ __metadata__: { a: 1 } }), reason: /'a' is no text/ },
])('$id is refused, in memory and on disk', async ({ bytes, reason }) => {
  const errors = await Promise.all([
    Promise.resolve()
      .then(() => parseSafetensors(bytes, 'memory'))
      .catch((error: unknown) => error),
    openSafetensors(temporaryFile(bytes)).catch((error: unknown) => error),
  ]);
  for (const error of errors) {
    expect(EngineError.is(error, 'checkpoint.safetensors.invalid')).toBe(true);
    expect(error).toMatchObject({ message: expect.stringMatching(reason) });
  }
});

test('a tensor named __proto__ is just a tensor', async () => {
  const bytes = fileOf('{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4);
  const tensors = parseSafetensors(bytes, 'memory');
  expect([...tensors.keys()]).toEqual(['__proto__']);
  const again = await written([...tensors.values()]);
  expect([...parseSafetensors(again, 'memory').keys()]).toEqual(['__proto__']);
});

test.each([
  {
    id: 'a name twice',
    tensors: [1, 2].map(() => ({ name: 'a', dtype: 'F32', shape: [1], data: Float32Array.of(1) }) as const),
  },
  { id: 'too little data', tensors: [{ name: 'a', dtype: 'F32', shape: [2], data: Float32Array.of(1) } as const] },
])('$id is not written', async ({ tensors }) => {
  await expect(written(tensors)).rejects.toMatchObject({ code: 'checkpoint.tensor' });
});

test('a whole number beyond 32 bits is not cut silently', () => {
  const tensor = { name: 'ids', dtype: 'I64', shape: [1], data: BigInt64Array.of(2n ** 40n) } as const;
  expect(() => toTensorValues(tensor)).toThrow(/1099511627776, which does not fit/);
});
