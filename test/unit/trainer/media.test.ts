import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import fc from 'fast-check';
import sharp from 'sharp';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { MediaNotice } from '../../../engine/api/media.ts';
import { LoggingConfig } from '../../../engine/trainer/logging/loggingConfig.ts';
import { encodeWav } from '../../../engine/trainer/logging/media/audio.ts';
import { histogramOf } from '../../../engine/trainer/logging/media/histogram.ts';
import { toPixels } from '../../../engine/trainer/logging/media/image.ts';
import { tableMarkdown } from '../../../engine/trainer/logging/media/table.ts';
import { MemoryFiles, setUp } from './support.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

let runDir: string;
beforeEach(() => {
  runDir = mkdtempSync(join(tmpdir(), 'accelhydra-media-'));
});
afterEach(() => rmSync(runDir, { recursive: true, force: true }));

type Made = ReturnType<typeof setUp>;

/** A training of two steps whose end logs what `work` logs. */
async function training(work: (trainer: Made['trainer']) => void, logging: LoggingConfig | null = null) {
  const made = setUp({
    count: 8,
    options: { epochs: 1, logging_config: logging },
    environment: { runDir },
  });
  made.trainer.on_train_end = () => work(made.trainer);
  await made.trainer.fit();
  const media = made.recording.reports.flatMap((report) => (report.type === 'media' ? report.media : []));
  return { ...made, media, file: (notice: MediaNotice | undefined) => readFileSync(join(runDir, notice?.path ?? '')) };
}

test('images become PNG files with the pixels that were given, and leave no tensor behind', async () => {
  let before = 0;
  const batch = tf.tensor4d([0, 0.5, 1, 2, Number.NaN, -1, 1, 1], [2, 2, 2, 1]);
  const { media, file } = await training((trainer) => {
    before = tf.memory().numTensors;
    trainer.log_image('val/samples', batch, { caption: ['a', 'b'] });
    trainer.log_image('one', { data: Uint8Array.of(1, 2, 3, 4, 5, 6), shape: [1, 2, 3] });
  });
  expect(media.map(({ path, item, step, caption, detail }) => ({ path, item, step, caption, detail }))).toEqual([
    {
      path: 'media/image/val/samples/step_2_0.png',
      item: 0,
      step: 2,
      caption: 'a',
      detail: { kind: 'image', width: 2, height: 2, channels: 1 },
    },
    expect.objectContaining({ path: 'media/image/val/samples/step_2_1.png', item: 1, caption: 'b' }),
    expect.objectContaining({ path: 'media/image/one/step_2_0.png', detail: expect.objectContaining({ channels: 3 }) }),
  ]);
  expect((await sharp(file(media[0])).metadata()).channels).toBe(1);
  const pixels = async (index: number) => {
    const image = sharp(file(media[index]));
    return [...(await (index < 2 ? image.toColourspace('b-w') : image).raw().toBuffer())];
  };
  expect([await pixels(0), await pixels(1), await pixels(2)]).toEqual([
    [0, 128, 255, 255],
    [0, 0, 255, 255],
    [1, 2, 3, 4, 5, 6],
  ]);
  expect(media[0]?.bytes).toBe(file(media[0]).length);
  expect(tf.memory().numTensors).toBeLessThanOrEqual(before);
  batch.dispose();
});

test('sounds, texts, histograms and tables are files in open formats', async () => {
  const { media, file } = await training((trainer) => {
    trainer.log_audio('tone', tf.tensor1d([0, 1, -1, 2]), { sample_rate: 8000 });
    trainer.log_text('note', 'sixty-four µ', { step: 7 });
    trainer.log_histogram('weights', [0, 1, 2, 3, Number.NaN], { bins: 2 });
    trainer.log_table('worst', {
      columns: ['x', 'y'],
      data: [
        [1, 'a|b'],
        [Number.NaN, null],
      ],
    });
  });
  const [tone, note, weights, worst] = media;
  expect(tone?.detail).toEqual({ kind: 'audio', sampleRate: 8000, channels: 1, seconds: 0.0005 });
  const wav = file(tone);
  expect([wav.toString('latin1', 0, 4), wav.toString('latin1', 8, 12), wav.readUInt32LE(24)]).toEqual([
    'RIFF',
    'WAVE',
    8000,
  ]);
  expect([44, 46, 48, 50].map((at) => wav.readInt16LE(at))).toEqual([0, 32767, -32767, 32767]);
  expect([note?.step, file(note).toString()]).toEqual([7, 'sixty-four µ']);
  expect(JSON.parse(file(weights).toString())).toMatchObject({ counts: [2, 2], edges: [0, 1.5, 3], notFinite: 1 });
  expect(weights?.detail).toMatchObject({ count: 4, notFinite: 1, mean: 1.5, minimum: 0, maximum: 3 });
  expect(JSON.parse(file(worst).toString())).toEqual({
    columns: ['x', 'y'],
    data: [
      [1, 'a|b'],
      ['NaN', null],
    ],
  });
});

test('several calls for a name at one step add up; names cannot leave the folder', async () => {
  const { media } = await training((trainer) => {
    trainer.log_text('../../up', 'a');
    trainer.log_text('../../up', 'b');
  });
  expect(media.map(({ path }) => path)).toEqual([
    'media/text/%2E%2E/%2E%2E/up/step_2_0.txt',
    'media/text/%2E%2E/%2E%2E/up/step_2_1.txt',
  ]);
});

test('in a training step media are taken when logging is due, and only rank 0 logs', async () => {
  const { trainer, recording } = setUp({
    count: 16,
    validation: false,
    options: { epochs: 1, log_every_n_steps: 2 },
    environment: { runDir },
  });
  const step = trainer.training_step.bind(trainer);
  trainer.training_step = (batch, index) => {
    trainer.log_histogram('x', batch.x);
    trainer.log_text('always', 'here', { always: true });
    return step(batch, index);
  };
  await trainer.fit();
  const steps = (key: string) =>
    recording.reports.flatMap((report) =>
      report.type === 'media' ? report.media.filter((item) => item.key === key).map((item) => item.step) : [],
    );
  expect([steps('x'), steps('always')]).toEqual([
    [0, 2],
    [0, 1, 2, 3],
  ]);
});

test.each([
  {
    id: 'a shape that is no image',
    log: (it: Made['trainer']) => it.log_image('bad', [1, 2, 3]),
    says: /shape \[height/,
  },
  {
    id: 'channels first',
    log: (it: Made['trainer']) => it.log_image('bad', { data: new Float32Array(3 * 8 * 8), shape: [3, 8, 8] }),
    says: /channels come first: transpose/,
  },
  {
    id: 'a rate of nothing',
    log: (it: Made['trainer']) => it.log_audio('bad', [1], { sample_rate: 0 }),
    says: /sample_rate/,
  },
])('$id is told once and does not end the training', async ({ log, says }) => {
  const { media, recording } = await training((trainer) => {
    log(trainer);
    log(trainer);
    trainer.log_text('after', 'fine');
  });
  expect(media.map(({ key }) => key)).toEqual(['after']);
  expect(recording.texts().filter((text) => says.test(text))).toHaveLength(1);
});

test('limits of number and bytes are kept to, and told once', async () => {
  const few = await training(
    (trainer) => {
      for (let i = 0; i < 5; i++) trainer.log_text(`t${i}`, 'x');
    },
    new LoggingConfig({ max_media_items: 2 }),
  );
  expect(few.media).toHaveLength(2);
  expect(few.recording.texts().filter((text) => text.includes('max_media_items'))).toHaveLength(1);
  const small = await training(
    (trainer) => {
      for (let i = 0; i < 5; i++) trainer.log_text(`t${i}`, 'xxxx');
    },
    new LoggingConfig({ max_media_bytes: 10 }),
  );
  expect(small.media).toHaveLength(2);
  const many = await training((trainer) => trainer.log_image('big', tf.zeros([70, 1, 1, 1])));
  expect(many.media).toHaveLength(64);
  expect(many.recording.texts()).toContainEqual(expect.stringContaining('the first 64'));
});

test('a disk that cannot be written to is told once; the training ends as it should', async () => {
  writeFileSync(join(runDir, 'media'), 'a file where the folder should be');
  const { media, recording, trainer } = await training((it) => {
    it.log_text('a', 'x');
    it.log_text('b', 'x');
  });
  expect([media, trainer.step]).toEqual([[], 2]);
  expect(recording.texts().filter((text) => text.includes('could not be written'))).toHaveLength(1);
});

describe('mistakes in the call itself throw', () => {
  test.each([
    { id: 'no name', log: (it: Made['trainer']) => it.log_text('', 'x') },
    { id: 'half a step', log: (it: Made['trainer']) => it.log_text('x', 'x', { step: 0.5 }) },
    { id: 'no bins', log: (it: Made['trainer']) => it.log_histogram('x', [1], { bins: 0 }) },
    { id: 'a short row', log: (it: Made['trainer']) => it.log_table('x', { columns: ['a', 'b'], data: [[1]] }) },
  ])('$id', async ({ log }) => {
    await expect(training(log)).rejects.toMatchObject({ code: 'trainer.media' });
  });
});

test('a histogram counts every finite value once, as NumPy does', () => {
  // numpy.histogram([0.1, 0.2, 0.3, 0.7], bins=3)
  expect(histogramOf([0.1, 0.2, 0.3, 0.7], 3).counts).toEqual([2, 1, 1]);
  expect(histogramOf([5, 5], 2)).toMatchObject({ edges: [4.5, 5, 5.5], counts: [0, 2], mean: 5, std: 0 });
  expect(histogramOf([Number.NaN], 4)).toMatchObject({ edges: [], counts: [], count: 0, notFinite: 1 });
  fc.assert(
    fc.property(fc.array(fc.float({ noDefaultInfinity: true })), fc.integer({ min: 1, max: 40 }), (values, bins) => {
      const { counts, count, notFinite, edges } = histogramOf(values, bins);
      expect(counts.reduce((sum, n) => sum + n, 0)).toBe(count);
      expect(count + notFinite).toBe(values.length);
      expect([...edges].sort((a, b) => a - b)).toEqual(edges);
    }),
  );
});

test('pixels follow the dtype, or the range when asked', () => {
  const image = (data: number[], dtype: string, normalize = false) => [
    ...(toPixels({ data, shape: [1, data.length], dtype }, 'x', normalize)[0]?.data ?? []),
  ];
  expect(image([0, 100, 300], 'int32')).toEqual([0, 100, 255]);
  expect(image([0, 1], 'bool')).toEqual([0, 255]);
  expect(image([-2, 0, 2, Number.NaN], 'float32', true)).toEqual([0, 128, 255, 0]);
});

test('stereo is interleaved; a table is Markdown where only text is known', () => {
  const { wav, frames } = encodeWav({ data: [1, 2, 3, 4], shape: [2, 2], dtype: 'int32' }, 44_100, 'x');
  expect([frames, Buffer.from(wav).readUInt16LE(22), Buffer.from(wav).readInt16LE(46)]).toEqual([2, 2, 2]);
  expect(tableMarkdown({ columns: ['a'], data: [['x|y'], [1]] })).toBe('| a |\n| --- |\n| x\\|y |\n| 1 |');
});

test('a run that goes on from a checkpoint removes the files of later steps, whose rows are dropped', async () => {
  const folders = { count: 8, environment: { runDir } };
  const first = setUp({ ...folders, options: { epochs: 3 } });
  first.trainer.on_train_epoch_end = () => {
    first.trainer.log_text('note/a', String(first.trainer.epoch));
    first.trainer.log_text('other', String(first.trainer.epoch));
  };
  await first.trainer.fit();
  writeFileSync(join(runDir, 'media', 'notes.md'), 'mine');
  const environment = { runDir, resumeFrom: '/run/checkpoints/epoch_2' };
  const files = new MemoryFiles();
  for (const [folder, saved] of first.files.folders) files.folders.set(folder, saved);
  const saved = setUp({ count: 8, environment: { runDir: `${runDir}-2` }, files, options: { epochs: 2 } });
  await saved.trainer.fit();
  const again = setUp({ count: 8, environment, files, options: { epochs: 2 } });
  await again.trainer.fit();
  const kept = readdirSync(join(runDir, 'media'), { recursive: true }).map(String).sort();
  expect(kept.filter((name) => name.includes('.'))).toEqual([
    'notes.md',
    'text/note/a/step_2_0.txt',
    'text/note/a/step_4_0.txt',
    'text/other/step_2_0.txt',
    'text/other/step_4_0.txt',
  ]);
  rmSync(`${runDir}-2`, { recursive: true, force: true });
});
