import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { LateTensor } from '../../../engine/data/hostTensor.ts';
import { DefaultCollate, hostScalar, PaddingCollate, toTensor } from '../../../engine/data/index.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

test.each([
  { id: 'whole numbers', samples: [1, 2], dtype: 'int32', shape: [2], values: [1, 2] },
  { id: 'numbers', samples: [1, 2.5], dtype: 'float32', shape: [2], values: [1, 2.5] },
  { id: 'booleans', samples: [true, false], dtype: 'bool', shape: [2], values: [1, 0] },
  {
    id: 'lists',
    samples: [
      [[1], [2]],
      [[3], [4]],
    ],
    dtype: 'int32',
    shape: [2, 2, 1],
    values: [
      [[1], [2]],
      [[3], [4]],
    ],
  },
  {
    id: 'bytes',
    samples: [Uint8Array.of(7, 255), Uint8Array.of(0, 1)],
    dtype: 'int32',
    shape: [2, 2],
    values: [
      [7, 255],
      [0, 1],
    ],
  },
  {
    id: 'scalars of a float column',
    samples: [hostScalar(1, 'float32'), hostScalar(2, 'float32')],
    dtype: 'float32',
    shape: [2],
    values: [1, 2],
  },
  {
    id: 'host tensors',
    samples: [
      { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] },
      { data: Float32Array.of(5, 6, 7, 8), shape: [2, 2] },
    ],
    dtype: 'float32',
    shape: [2, 2, 2],
    values: [
      [
        [1, 2],
        [3, 4],
      ],
      [
        [5, 6],
        [7, 8],
      ],
    ],
  },
])('stacks $id', ({ samples, dtype, shape, values }) => {
  const batch = new DefaultCollate().call(samples);
  expect(batch).toBeInstanceOf(tf.Tensor);
  const tensor = batch as tf.Tensor;
  expect({ dtype: tensor.dtype, shape: tensor.shape, values: tensor.arraySync() }).toEqual({ dtype, shape, values });
});

test('tuples and objects are collated field by field', () => {
  const batch = new DefaultCollate().call([
    [Float32Array.of(1, 2), 3, 'a'],
    [Float32Array.of(4, 5), 6, 'b'],
  ]) as [tf.Tensor, tf.Tensor, string[]];
  expect(batch[0].shape).toEqual([2, 2]);
  expect(batch[1].dtype).toBe('int32');
  expect(batch[2]).toEqual(['a', 'b']);
  const named = new DefaultCollate({ dtypes: { 'meta.size': 'float32' } }).call([
    { meta: { size: 1 } },
    { meta: { size: 2 } },
  ]);
  expect((named as { meta: { size: tf.Tensor } }).meta.size.dtype).toBe('float32');
});

test.each([
  { id: 'shapes differ', samples: [{ x: [1, 2] }, { x: [1] }], message: /'x'.*\[2\].*\[1\].*PaddingCollate/ },
  { id: 'a key is missing', samples: [{ x: 1 }, { y: 1 }], message: /lacks 'x'/ },
  { id: 'a nested list is ragged', samples: [{ x: [[1], [1, 2]] }], message: /different shapes/ },
])('says what is wrong when $id', ({ samples, message }) => {
  expect(() => new DefaultCollate().call(samples)).toThrow(message);
});

test('padding keeps further axes and lists the lengths', () => {
  const batch = new PaddingCollate({ pad_keys: ['mel'], torchify_keys: ['id'] }).call([
    {
      mel: [
        [1, 2],
        [3, 4],
      ],
      id: 1,
      text: 'a',
    },
    { mel: [[5, 6]], id: 2, text: 'b' },
  ]) as { mel: tf.Tensor; mel_lengths: tf.Tensor; id: tf.Tensor; text: string[] };
  expect(batch.mel.arraySync()).toEqual([
    [
      [1, 2],
      [3, 4],
    ],
    [
      [5, 6],
      [0, 0],
    ],
  ]);
  expect(batch.mel_lengths.dtype).toBe('int32');
  expect(batch.mel_lengths.arraySync()).toEqual([2, 1]);
  expect(batch.text).toEqual(['a', 'b']);
  expect(Object.keys(batch)).toEqual(['mel', 'id', 'text', 'mel_lengths']);
});

test('padding refuses what has no first axis', () => {
  expect(() => new PaddingCollate({ pad_keys: ['x'] }).call([{ x: 1 }, { x: 2 }])).toThrow(/'x' cannot be padded/);
});

test.each([
  {
    id: 'shapes of a key differ',
    samples: [{ x: { a: [1, 2] } }, { x: { a: [1, 2] } }, { x: { a: [1] } }],
    message:
      "'x.a' cannot be stacked: sample 0 of the batch has shape [2], sample 2 has [1]. Use PaddingCollate with pad_keys: [x.a], or make the samples equal.",
  },
  {
    id: 'one list is empty',
    samples: [{ tokens: [1, 2] }, { tokens: [] }],
    message:
      "'tokens' cannot be stacked: sample 0 of the batch has a list of 2, sample 1 has one of 0. Use PaddingCollate",
  },
  {
    id: 'lists of text differ in length',
    samples: [
      [['a'], 1],
      [['a', 'b'], 1],
    ],
    message:
      "'0' cannot be stacked: sample 0 of the batch has a list of 1, sample 1 has one of 2. Give samples as objects",
  },
  {
    id: 'a key is missing',
    samples: [{ x: 1, y: 2 }, { x: 1 }],
    message: "lacks 'y', which the first sample has",
  },
  {
    id: 'kinds differ',
    samples: [{ x: 1 }, { x: 'one' }],
    message: "'x' is a tensor in sample 0 of the batch, but not in sample 1",
  },
])('collating says what to do when $id', ({ samples, message }) => {
  expect(() => new DefaultCollate().call(samples)).toThrow(message);
});

test('a number that would wrap around in int32 is refused by field and sample', () => {
  const samples = [Uint32Array.of(1, 2 ** 31 - 1), Uint32Array.of(2, 3_000_000_000)].map((ids) => ({ ids }));
  const refusal =
    /^The number 3000000000 in 'ids' of sample 1 of the batch does not fit int32 .* Give it as text, or as/;
  const refused = (work: () => unknown) => expect(work).toThrow(refusal);
  refused(() => new DefaultCollate().call(samples));
  refused(() => new PaddingCollate({ pad_keys: ['ids'] }).call(samples));
  refused(() => new PaddingCollate({ torchify_keys: ['ids'] }).call(samples));
  refused(() => new DefaultCollate({ dtypes: { ids: 'int32' } }).call([{ ids: 1 }, { ids: 3_000_000_000 }]));
  expect(() => toTensor({ data: Uint32Array.of(2 ** 31), shape: [1] })).toThrow(
    /2147483648 in a tensor does not fit int32/,
  );
  const fitting = new DefaultCollate().call(samples.slice(0, 1)) as { ids: tf.Tensor };
  expect(fitting.ids.arraySync()).toEqual([[1, 2147483647]]);
  const rounded = new DefaultCollate({ dtypes: { ids: 'float32' } }).call(samples) as { ids: tf.Tensor };
  expect(rounded.ids.arraySync()).toEqual([
    [1, 2147483648],
    [2, 3_000_000_000],
  ]);
});

test('tensors of different shapes, and keys to be stacked that cannot be, are named too', () => {
  const tensors = [{ x: tf.zeros([2]) }, { x: tf.zeros([3]) }];
  expect(() => new DefaultCollate().call(tensors)).toThrow(
    /'x' cannot be stacked: .* \[2\], sample 1 has \[3\]\. Use Padd/,
  );
  tf.dispose(tensors);
  expect(() => new PaddingCollate({ torchify_keys: ['x'] }).call([{ x: [1] }, { x: [1, 2] }])).toThrow(
    "'x' cannot be stacked: sample 0 of the batch has shape [1], sample 1 has [2]. Move it from torchify_keys to pad_keys.",
  );
});

test('values made late are the same in a batch and looked at, and what was changed then counts', () => {
  const late = () =>
    new LateTensor([2], (out, at) => {
      out[at] = 1.5;
      out[at + 1] = 2.5;
    });
  const collate = new DefaultCollate();
  const looked = late();
  expect(looked.data).toEqual(Float32Array.of(1.5, 2.5));
  looked.data[0] = 7;
  const expected = { shape: [3, 2], dtype: 'float32', data: Float32Array.of(1.5, 2.5, 7, 2.5, 1.5, 2.5) };
  expect(collate.host([late(), looked, late()])).toEqual(expected);
  expect(new DefaultCollate({ dtypes: { '': 'int32' } }).host([late()])).toMatchObject({ data: Int32Array.of(1, 2) });
  expect(() => collate.host([late(), { data: Float32Array.of(1), shape: [1] }])).toThrow(
    /shape \[2\], sample 1 .* \[1\]/,
  );
});
