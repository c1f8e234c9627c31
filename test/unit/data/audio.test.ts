import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { BucketSampler, sampleContext, WavDataset } from '../../../engine/data/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'data-audio-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Wav {
  readonly bits: number;
  readonly isFloat?: boolean;
  readonly isExtensible?: boolean;
  readonly channels?: number;
  readonly rate?: number;
  /** Values −1 … 1, frame by frame. */
  readonly values: readonly number[];
  /** Written in place of the true size of the samples. */
  readonly dataSize?: number;
}

function wav(options: Wav): Buffer {
  const { bits, isFloat = false, isExtensible = false, channels = 1, rate = 8000, values } = options;
  const size = bits / 8;
  const data = Buffer.alloc(values.length * size);
  values.forEach((value, i) => {
    const at = i * size;
    if (isFloat) bits === 32 ? data.writeFloatLE(value, at) : data.writeDoubleLE(value, at);
    else if (bits === 8) data.writeUInt8(Math.round(value * 127) + 128, at);
    else data.writeIntLE(Math.round(value * (2 ** (bits - 1) - 1)), at, size);
  });
  const format = Buffer.alloc(isExtensible ? 40 : 16);
  const tag = isFloat ? 3 : 1;
  format.writeUInt16LE(isExtensible ? 0xfffe : tag, 0);
  format.writeUInt16LE(channels, 2);
  format.writeUInt32LE(rate, 4);
  format.writeUInt32LE(rate * channels * size, 8);
  format.writeUInt16LE(channels * size, 12);
  format.writeUInt16LE(bits, 14);
  if (isExtensible) {
    format.writeUInt16LE(22, 16);
    format.writeUInt16LE(tag, 24);
  }
  // a chunk of odd length before the samples, padded to an even place
  const extra = Buffer.from([...Buffer.from('LIST'), 3, 0, 0, 0, 1, 2, 3, 0]);
  const chunk = (id: string, bytes: Buffer, length = bytes.length) => {
    const head = Buffer.alloc(8);
    head.write(id, 'latin1');
    head.writeUInt32LE(length, 4);
    return Buffer.concat([head, bytes]);
  };
  const body = Buffer.concat([
    Buffer.from('WAVE'),
    chunk('fmt ', format),
    extra,
    chunk('data', data, options.dataSize),
  ]);
  return chunk('RIFF', body);
}

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

const tone = [0, 0.5, 1, -1, -0.25, 0.75];

test.each([
  { id: '8 bits', bits: 8, digits: 1 },
  { id: '16 bits', bits: 16, digits: 4 },
  { id: '24 bits', bits: 24, digits: 6 },
  { id: '32 bits', bits: 32, digits: 7 },
  { id: 'float of 32 bits', bits: 32, isFloat: true, digits: 7 },
  { id: 'float of 64 bits', bits: 64, isFloat: true, digits: 7 },
  { id: '16 bits in the extensible form', bits: 16, isExtensible: true, digits: 4 },
  { id: 'float in the extensible form', bits: 32, isFloat: true, isExtensible: true, digits: 7 },
  { id: 'a stream whose length was never written', bits: 16, dataSize: 0xffffffff, digits: 4 },
])('reads $id', ({ id, digits, ...format }) => {
  const dataset = new WavDataset({ files: [file(`${id}.wav`, wav({ ...format, values: tone }))] });
  const { audio, sample_rate } = dataset.get(0);
  expect([audio.shape, audio.dtype, sample_rate]).toEqual([[6], 'float32', 8000]);
  tone.forEach((value, i) => {
    expect(audio.data[i]).toBeCloseTo(value, digits);
  });
});

test('24 bits are exact at both ends', () => {
  const path = file('ends.wav', wav({ bits: 24, values: [1, -1] }));
  expect([...new WavDataset({ files: [path] }).get(0).audio.data]).toEqual([1 - 2 ** -23, -(1 - 2 ** -23)]);
});

test('two channels stay two, or become their mean', () => {
  const path = file('stereo.wav', wav({ bits: 16, channels: 2, values: [1, 0, 0.5, -0.5] }));
  const both = new WavDataset({ files: [path], mono: false }).get(0).audio;
  expect(both.shape).toEqual([2, 2]);
  const { audio } = new WavDataset({ files: [path] }).get(0);
  expect(audio.shape).toEqual([2]);
  expect(audio.data[0]).toBeCloseTo(0.5, 3);
  expect(audio.data[1]).toBeCloseTo(0, 3);
});

test('segments are read by their place, from files in the order of their paths', () => {
  const ramp = Array.from({ length: 40 }, (_, i) => i / 40);
  file('set/b.wav', wav({ bits: 32, isFloat: true, rate: 10, values: ramp }));
  file('set/a/x.WAV', wav({ bits: 32, isFloat: true, rate: 10, values: ramp.slice(0, 15) }));
  const root = join(folder, 'set');
  const segments = new WavDataset({ root, segment_seconds: 1, hop_seconds: 0.5 });
  expect(segments.length).toBe(2 + 7);
  expect(segments.durations).toEqual(Array.from({ length: 9 }, () => 1));
  expect(segments.get(1).path).toBe(join(root, 'a', 'x.WAV'));
  expect([...segments.get(3).audio.data]).toEqual(ramp.slice(5, 15).map(Math.fround));
  const whole = new WavDataset({ root });
  expect(whole.durations).toEqual([1.5, 4]);
  expect(new BucketSampler({ data_source: whole, num_buckets: 2, batch_size: 1 }).length).toBe(2);
});

test('a random segment belongs to seed, pass and sample', () => {
  const path = file(
    'long.wav',
    wav({ bits: 32, isFloat: true, rate: 10, values: Array.from({ length: 90 }, (_, i) => i) }),
  );
  const dataset = new WavDataset({ files: [path], segment_seconds: 1, random_segment: true });
  const first = (pass: number) => dataset.get(0, sampleContext({ seed: 3, pass }, 0)).audio.data[0];
  expect(dataset.length).toBe(1);
  expect(first(0)).toBe(first(0));
  expect(new Set(Array.from({ length: 40 }, (_, pass) => first(pass))).size).toBeGreaterThan(15);
  expect(dataset.get(0).audio.data[0]).toBe(0);
});

test.each([
  { id: 'no WAV file', bytes: Buffer.from('OggS and so on…'), text: /is no WAV file: it begins with the bytes 4f 67/ },
  { id: 'an empty file', bytes: Buffer.alloc(0), text: /begins with nothing/ },
  {
    id: 'a file that is cut off',
    bytes: wav({ bits: 16, values: tone }).subarray(0, 60),
    text: /is cut off: its samples end at byte 68, the file at 60/,
  },
  { id: 'another encoding', bytes: wav({ bits: 4, values: [] }), text: /format 1 of 4 bits.*ffmpeg/ },
])('$id is refused with its path', ({ bytes, text }) => {
  const path = file('bad.wav', bytes);
  const make = () => new WavDataset({ files: [path] });
  expect(make).toThrow(text);
  expect(make).toThrow(path);
});

test('files of different rates are not mixed, nor resampled', () => {
  const slow = file('slow.wav', wav({ bits: 16, rate: 8000, values: tone }));
  const fast = file('fast.wav', wav({ bits: 16, rate: 16000, values: tone }));
  expect(() => new WavDataset({ files: [slow, fast] })).toThrow(/fast\.wav has 16000 Hz, not 8000 Hz as .*slow\.wav/);
  expect(() => new WavDataset({ files: [slow], sample_rate: 16000 })).toThrow(/ffmpeg -i IN -ar 16000/);
  expect(() => new WavDataset({ files: [slow], segment_seconds: 9 })).toThrow(/none of the 1 files is as long/);
  expect(() => new WavDataset({ root: folder, files: [slow] })).toThrow(/one of them/);
});
