import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { flattenHyperparameters } from '../../../engine/trainer/logging/hyperparameters.ts';
import { LoggingConfig } from '../../../engine/trainer/logging/loggingConfig.ts';
import { unavailableTrackers } from '../../../engine/trainer/logging/trackers/openTrackers.ts';
import { crc32c, maskedCrc32c } from '../../../engine/trainer/logging/trackers/tensorboard/crc32c.ts';
import * as proto from '../../../engine/trainer/logging/trackers/tensorboard/eventProto.ts';
import * as hparams from '../../../engine/trainer/logging/trackers/tensorboard/hparamsProto.ts';
import { eventsOfStep } from '../../../engine/trainer/logging/trackers/tensorboard/keptEvents.ts';
import { TensorBoardTracker } from '../../../engine/trainer/logging/trackers/tensorboard/tensorBoardTracker.ts';
import { frameRecord } from '../../../engine/trainer/logging/trackers/tensorboard/tfRecord.ts';
import { setUp } from './support.ts';

// What TensorBoard's own protocol buffers and record writer made of the same content.
const recorded = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../fixtures/tensorboard/recorded.json', import.meta.url)), 'utf8'),
) as { records: Record<string, string>; messages: Record<string, string> };
const bytes = (text: string) => new TextEncoder().encode(text);
const hex = (data: Uint8Array | undefined) => Buffer.from(data ?? []).toString('hex');

beforeAll(async () => {
  await tf.setBackend('cpu');
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'accelhydra-tensorboard-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('CRC-32C gives the values of RFC 3720', () => {
  expect(crc32c(bytes('123456789'))).toBe(0xe306_9283);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a91_36aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8_ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd_794e);
  expect(maskedCrc32c(bytes('123456789'))).toBe(
    ((0xe306_9283 >>> 15) + ((0xe306_9283 << 17) >>> 0) + 0xa282_ead8) >>> 0,
  );
});

test.each([
  { id: 'empty', data: new Uint8Array() },
  { id: 'ascii', data: bytes('123456789') },
  { id: 'event', data: Uint8Array.from(Buffer.from(recorded.messages.scalar ?? '', 'hex')) },
])('a record is framed as TensorBoard frames it: $id', ({ id, data }) => {
  expect(hex(frameRecord(data))).toBe(recorded.records[id]);
});

const at = { wallTime: 1.7e9, step: 1 };
const histogram = {
  minimum: -1,
  maximum: 3,
  count: 4,
  sum: 5,
  sumOfSquares: 11,
  limits: [-1, 1, 3],
  counts: [0, 1, 3],
};
test.each([
  { id: 'fileVersion', data: proto.fileVersionEvent(1.7e9) },
  { id: 'sessionStart', data: proto.sessionStartEvent({ wallTime: 1.7e9, step: 41 }) },
  {
    id: 'scalar',
    data: proto.summaryEvent({ wallTime: 1.7e9 + 0.25, step: 300 }, [proto.scalarValue('train/loss', 0.75)]),
  },
  {
    id: 'notANumber',
    data: proto.summaryEvent({ ...at, step: 0 }, [proto.scalarValue('x', Number.POSITIVE_INFINITY)]),
  },
  {
    id: 'image',
    data: proto.summaryEvent(at, [
      proto.imageValue('val/samples', {
        png: Uint8Array.of(0x89, 0x50, 0x4e, 0x47),
        width: 3,
        height: 2,
        colorspace: 1,
      }),
    ]),
  },
  {
    id: 'audio',
    data: proto.summaryEvent(at, [
      proto.audioValue('tone', { wav: bytes('RIFF'), sampleRate: 8000, channels: 2, frames: 300 }),
    ]),
  },
  { id: 'histogram', data: proto.summaryEvent(at, [proto.histogramValue('w', histogram)]) },
  { id: 'text', data: proto.summaryEvent(at, [proto.textValue('note', 'µ')]) },
  { id: 'sessionStartInfo', data: hparams.sessionStartData({ lr: 0.1 }, 'g', 5) },
  {
    id: 'experiment',
    data: hparams.experimentData({
      name: 'n',
      createdSeconds: 5,
      hyperparameters: { lr: 0.1, m: 'cnn', b: true },
      metrics: ['val/loss'],
    }),
  },
  { id: 'sessionEndInfo', data: hparams.sessionEndData('failed', 9) },
  {
    id: 'plugin',
    data: proto.summaryEvent({ ...at, step: 0 }, [
      proto.pluginValue('_hparams_/session_end_info', {
        plugin: 'hparams',
        content: hparams.sessionEndData('failed', 9),
      }),
    ]),
  },
])('a message is what TensorBoard’s protocol buffers write: $id', ({ id, data }) => {
  expect(hex(data)).toBe(recorded.messages[id]);
});

/** Texts between the bytes of all records: enough to see what is in a file. */
function contentOf(file: string): string {
  return readFileSync(file).toString('latin1');
}

test('a training reports to every tracker of its list, from the first hyper-parameter to the end', async () => {
  const { trainer } = setUp({
    options: {
      epochs: 1,
      log_every_n_steps: 1,
      logging_config: new LoggingConfig({ report_to: ['tensorboard', 'jsonl'], name: 'mine' }),
    },
    environment: { runDir: folder, hyperparameters: { optimizer: { lr: 0.5, betas: [0.9, 0.99] }, note: null } },
  });
  trainer.on_train_end = () => trainer.log_text('note', 'a word');
  await trainer.fit();
  const [events = ''] = readdirSync(join(folder, 'tensorboard'));
  expect(events).toMatch(/^events\.out\.tfevents\.\d+\./);
  const content = contentOf(join(folder, 'tensorboard', events));
  for (const text of ['brain.Event:2', 'train/loss', 'val/loss', 'a word', 'optimizer.lr', 'session_end_info']) {
    expect(content).toContain(text);
  }
  const lines = readFileSync(join(folder, 'tracker.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines[0]).toEqual({
    type: 'start',
    name: 'mine',
    step: 0,
    hyperparameters: { 'optimizer.lr': 0.5, 'optimizer.betas': [0.9, 0.99], note: null },
  });
  expect(lines.filter((line) => line.key === 'train/loss').map((line) => line.step)).toEqual([0, 1, 2, 3]);
  expect(lines.at(-2)).toMatchObject({ type: 'media', key: 'note' });
  expect(lines.at(-1)).toEqual({ type: 'end', status: 'completed' });
});

test('the first attempt says that it starts: TensorBoard takes only the second start for a restart', () => {
  for (const step of [0, 5]) {
    const tracker = new TensorBoardTracker(join(folder, String(step)), { now: () => 1.7e12 });
    tracker.begin({ hyperparameters: {}, name: 'run', monitor: undefined, step });
    tracker.end('completed');
    const [events = ''] = readdirSync(join(folder, String(step)));
    const first = frameRecord(proto.sessionStartEvent({ wallTime: 1.7e9, step }));
    expect(hex(readFileSync(join(folder, String(step), events)))).toContain(hex(first));
  }
});

test('a resumed training writes the step that it begins at once: what it does again, and what was logged before the checkpoint', () => {
  let seconds = 1.7e9;
  const attempt = (step: number, points: Record<string, number[]>) => {
    const tracker = new TensorBoardTracker(folder, { now: () => 1000 * ++seconds });
    tracker.begin({ hyperparameters: {}, name: 'run', monitor: undefined, step });
    for (const [key, steps] of Object.entries(points))
      tracker.metrics(steps.map((at) => ({ key, step: at, epoch: 0, time: 1000 * seconds, value: seconds })));
    tracker.end('failed');
    const names = readdirSync(folder).sort();
    return contentOf(join(folder, names.at(-1) ?? ''));
  };
  const first = attempt(0, { 'val/loss': [5], 'train/loss': [4, 5, 6] });
  writeFileSync(join(folder, readdirSync(folder)[0] ?? ''), Buffer.from(first, 'latin1').subarray(0, -5)); // cut off
  const held = eventsOfStep(folder, 5);
  expect([...held.keys()]).toEqual(['val/loss', 'train/loss']);
  const second = attempt(5, { 'train/loss': [5, 6] });
  expect([second.match(/val\/loss/g)?.length, second.match(/train\/loss/g)?.length]).toEqual([1, 2]);
  const again = eventsOfStep(folder, 5);
  expect(again.get('val/loss')).toEqual(held.get('val/loss'));
  expect(again.get('train/loss')).not.toEqual(held.get('train/loss'));
  const back = new TensorBoardTracker(join(folder, 'back'), { now: () => 1000 * ++seconds });
  const point = (key: string, step: number) => back.metrics([{ key, step, epoch: 0, time: 1000 * seconds, value: 1 }]);
  back.begin({ hyperparameters: {}, name: 'run', monitor: undefined, step: 0 });
  for (const step of [2, 3]) for (const key of ['val/loss', 'train/loss']) point(key, step);
  back.rolledBack(2);
  point('train/loss', 2);
  back.end('completed');
  expect([...eventsOfStep(join(folder, 'back'), 2).keys()]).toEqual(['train/loss', 'val/loss']);
  expect(eventsOfStep(join(folder, 'back'), 3).size).toBe(0);
  attempt(4, {});
  expect(eventsOfStep(folder, 5).size).toBe(0);
  expect(eventsOfStep(folder, 4).size).toBe(1);
});

test('the hyper-parameters are reported flat, whatever the trackers', async () => {
  const { trainer, recording } = setUp({ environment: { hyperparameters: { a: { b: { c: 1 } }, d: {}, e: [] } } });
  await trainer.fit();
  expect(recording.reports.find((report) => report.type === 'hyperparameters')).toEqual({
    type: 'hyperparameters',
    values: { 'a.b.c': 1, d: {}, e: [] },
  });
  expect(flattenHyperparameters({})).toEqual({});
});

test('a tracker that cannot write is told once, and the training goes on', async () => {
  writeFileSync(join(folder, 'tensorboard'), 'a file where the folder should be');
  const { trainer, recording } = setUp({
    options: { epochs: 1, logging_config: new LoggingConfig({ report_to: 'tensorboard' }) },
    environment: { runDir: folder },
  });
  await trainer.fit();
  expect(trainer.step).toBe(4);
  expect(recording.texts().filter((text) => text.includes('tensorboard'))).toHaveLength(1);
});

test.each([
  { id: 'none', reportTo: null, says: undefined },
  { id: 'the store itself', reportTo: 'runs', says: undefined },
  { id: 'all', reportTo: 'all', says: undefined },
  { id: 'one of ours', reportTo: 'tensorboard', says: undefined },
  {
    id: 'one that is not here',
    reportTo: ['tensorboard', 'wandb'],
    says: /names wandb, which .* has tensorboard and jsonl/,
  },
  { id: 'a slip of the pen', reportTo: 'tensorbord', says: /Did you mean 'tensorboard'/ },
])('report_to: $id', ({ reportTo, says }) => {
  const text = unavailableTrackers(new LoggingConfig({ report_to: reportTo }));
  if (says === undefined) expect(text).toBeUndefined();
  else expect(text).toMatch(says);
});
