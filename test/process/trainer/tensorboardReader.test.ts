import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeWav } from '../../../engine/trainer/logging/media/audio.ts';
import { histogramOf } from '../../../engine/trainer/logging/media/histogram.ts';
import { encodePng } from '../../../engine/trainer/logging/media/image.ts';
import { TensorBoardTracker } from '../../../engine/trainer/logging/trackers/tensorboard/tensorBoardTracker.ts';

// With the real TensorBoard, where this machine's Python has it; the unit tests hold every byte against what it recorded.
const python = process.env.ACCELHYDRA_PYTHON ?? 'python3';
const hasTensorBoard = (() => {
  try {
    execFileSync(python, ['-c', 'import tensorboard'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

const reader = `
import json, math, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2
ea = EventAccumulator(sys.argv[1], size_guidance={k: 0 for k in ['scalars', 'images', 'audio', 'histograms', 'tensors']})
ea.Reload()
start = plugin_data_pb2.HParamsPluginData.FromString(ea.SummaryMetadata('_hparams_/session_start_info').plugin_data.content)
end = plugin_data_pb2.HParamsPluginData.FromString(ea.SummaryMetadata('_hparams_/session_end_info').plugin_data.content)
h = ea.Histograms('w')[0].histogram_value
print(json.dumps({
  'loss': [[e.step, e.value if math.isfinite(e.value) else str(e.value)] for e in ea.Scalars('train/loss')],
  'image': [[e.step, e.width, e.height, len(e.encoded_image_string)] for e in ea.Images('val/samples')],
  'second': len(ea.Images('val/samples/1')),
  'audio': [[e.step, e.sample_rate, e.length_frames, e.content_type] for e in ea.Audio('tone')],
  'histogram': [h.num, h.min, h.max, list(h.bucket_limit), list(h.bucket)],
  'text': ea.Tensors('note')[0].tensor_proto.string_val[0].decode(),
  'plugin': ea.SummaryMetadata('note').plugin_data.plugin_name,
  'lr': start.session_start_info.hparams['optimizer.lr'].number_value,
  'status': end.session_end_info.status,
}))
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'accelhydra-tensorboard-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.skipIf(!hasTensorBoard)(
  'TensorBoard reads what was written, and drops what a resumed training does again',
  async () => {
    const clock = { now: () => 1.7e12 };
    const points = (values: number[], first: number) =>
      values.map((value, i) => ({ key: 'train/loss', step: first + i, epoch: 0, time: 1.7e12 + i, value }));
    const start = { hyperparameters: { 'optimizer.lr': 0.5, name: null }, name: 'run', monitor: 'val/loss' };
    const first = new TensorBoardTracker(folder, clock);
    first.begin({ ...start, step: 0 });
    first.metrics(points([3, Number.NaN, 1, 0.5], 0));
    const at = { step: 2, epoch: 0, item: 0, path: 'media/x', bytes: 1, time: 1.7e12 };
    const bytes = await encodePng({ data: Uint8Array.of(1, 2, 3, 4, 5, 6), width: 2, height: 1, channels: 3 });
    const image = { kind: 'image', width: 2, height: 1, channels: 3 } as const;
    first.media({ notice: { ...at, key: 'val/samples', detail: image }, bytes });
    first.media({ notice: { ...at, key: 'val/samples', item: 1, detail: image }, bytes });
    const { wav, frames } = encodeWav({ data: [0, 1, -1, 0], shape: [4], dtype: 'float32' }, 8000, 'tone');
    const audio = { kind: 'audio', sampleRate: 8000, channels: 1, seconds: frames / 8000 } as const;
    first.media({ notice: { ...at, key: 'tone', detail: audio }, bytes: wav });
    first.media({ notice: { ...at, key: 'note', detail: { kind: 'text', characters: 1 } }, bytes: wav, text: 'µ' });
    first.media({ notice: { ...at, key: 'w', detail: histogramOf([0, 1, 1, 2], 2) }, bytes: wav });
    first.end('failed');
    const second = new TensorBoardTracker(folder, { now: () => 1.7e12 + 60_000 });
    // at step 2 the loss is computed again, the pictures of the validation before the checkpoint are not
    second.begin({ ...start, step: 2 });
    second.metrics(points([8, 9], 2));
    second.end('completed');
    const read = JSON.parse(execFileSync(python, ['-c', reader, folder]).toString());
    expect(read).toEqual({
      loss: [
        [0, 3],
        [1, 'nan'],
        [2, 8],
        [3, 9],
      ],
      image: [[2, 2, 1, bytes.length]],
      second: 1,
      audio: [[2, 8000, 4, 'audio/wav']],
      histogram: [4, 0, 2, [0, 1, 2], [0, 1, 3]],
      text: 'µ',
      plugin: 'text',
      lr: 0.5,
      status: expect.any(Number),
    });
    expect(inspected()).toMatch(/train\/loss[\s\S]*_hparams_\/session_start_info/);
    await served(async (get) => {
      expect(await get('scalars/scalars?run=.&tag=train%2Floss')).toMatchObject([
        [expect.any(Number), 0, 3],
        [expect.any(Number), 1, 'NaN'],
        [expect.any(Number), 2, 8],
        [expect.any(Number), 3, 9],
      ]);
      expect(Object.keys(await get('images/tags').then((tags) => tags['.'] ?? {}))).toContain('val/samples');
      expect(await get('images/images?run=.&tag=val%2Fsamples&sample=0')).toMatchObject([{ step: 2 }]);
      expect(await get('audio/audio?run=.&tag=tone&sample=0')).toMatchObject([{ step: 2, contentType: 'audio/wav' }]);
      expect(await get('text/text?run=.&tag=note')).toMatchObject([{ step: 2, text: expect.stringContaining('µ') }]);
      expect(await get('histograms/histograms?run=.&tag=w')).toHaveLength(1);
      const experiment = await get('hparams/experiment', { experimentName: '' });
      expect(experiment).toMatchObject({
        hparamInfos: expect.arrayContaining([expect.objectContaining({ name: 'optimizer.lr' })]),
      });
    });
  },
);

/** What `tensorboard --inspect` prints. */
function inspected(): string {
  return execFileSync(python, ['-m', 'tensorboard.main', '--inspect', '--logdir', folder], {
    stdio: ['ignore', 'pipe', 'ignore'],
  }).toString();
}

type Get = (path: string, body?: object) => Promise<Readonly<Record<string, object>>>;

/** The real server over the folder, asked by its HTTP interface, as the page in the browser does. */
async function served(ask: (get: Get) => Promise<void>): Promise<void> {
  const options = ['--host', '127.0.0.1', '--port', '0', '--load_fast', 'false'];
  const child = spawn(python, ['-m', 'tensorboard.main', '--logdir', folder, ...options], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'close');
  try {
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += String(chunk);
    });
    const address = () => /http:\/\/[\d.]+:\d+\//.exec(said)?.[0];
    await expect.poll(address, { timeout: 60_000 }).toBeDefined();
    const get: Get = async (path, body) => {
      const response = await fetch(`${address()}data/plugin/${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      const text = await response.text();
      expect(response.status, `${path}: ${text.slice(0, 200)}`).toBe(200);
      return JSON.parse(text);
    };
    // it reads the folder in the background
    await expect.poll(async () => Object.keys(await get('scalars/tags')), { timeout: 30_000 }).toContain('.');
    await ask(get);
  } finally {
    child.kill();
    await ended;
  }
}
