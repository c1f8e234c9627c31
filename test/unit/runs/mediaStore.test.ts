import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { MediaNotice } from '../../../engine/api/media.ts';
import { readMediaJournal } from '../../../engine/runs/mediaJournal.ts';
import { rebuildStore } from '../../../engine/runs/rebuild.ts';
import { createRun, RunRecorder } from '../../../engine/runs/runRecorder.ts';
import { newRun, openStore, temporaryFolder } from './support.ts';

function text(key: string, step: number, item = 0, more: Partial<MediaNotice> = {}): MediaNotice {
  const path = `media/text/${key}/step_${step}_${item}.txt`;
  return { key, step, epoch: 0, item, path, bytes: 4, time: step, detail: { kind: 'text', characters: 4 }, ...more };
}

function histogram(step: number): MediaNotice {
  const none = Number.NaN;
  const numbers = { minimum: none, maximum: none, mean: none, std: none };
  return text('w', step, 0, {
    detail: { kind: 'histogram', edges: [], counts: [], count: 0, notFinite: 3, ...numbers },
  });
}

test('media are indexed, dropped after the step that a run goes on from, and found again by their folder', () => {
  const project = temporaryFolder();
  const run = newRun(join(project, 'experiments', 'a'));
  const store = openStore(join(project, 'first.db'));
  createRun(store, run);
  const recorder = new RunRecorder(store, run.id, run.expDir);
  recorder.mediaLogged([text('val/note', 2, 0, { caption: 'one' }), text('val/note', 2, 1), text('val/note', 5)]);
  recorder.mediaLogged([histogram(1), histogram(5)]);
  recorder.truncate(3);
  recorder.mediaLogged([text('val/note', 4)]);
  recorder.dispose();

  expect(store.media.keys(run.id)).toEqual([
    { kind: 'histogram', key: 'w', items: 1, bytes: 4, steps: 1, firstStep: 1, lastStep: 1, lastTime: 1 },
    { kind: 'text', key: 'val/note', items: 3, bytes: 12, steps: 2, firstStep: 2, lastStep: 4, lastTime: 4 },
  ]);
  expect(store.media.steps(run.id, 'text', 'val/note')).toEqual([2, 4]);
  expect(store.media.items(run.id, 'text', 'val/note', 2)).toEqual([
    text('val/note', 2, 0, { caption: 'one' }),
    text('val/note', 2, 1),
  ]);
  expect(store.media.items(run.id, 'histogram', 'w', 1)).toEqual([histogram(1)]);

  appendFileSync(join(run.expDir, 'media', 'media.jsonl'), '{"torn":\n');
  appendFileSync(
    join(run.expDir, 'media', 'media.jsonl'),
    `${JSON.stringify({ ...text('x', 1), path: 'media/../../secret' })}\n`,
  );
  const second = openStore(join(project, 'second.db'));
  expect(rebuildStore(second, project)).toMatchObject({ added: [run.id], problems: [] });
  expect(second.media.keys(run.id)).toEqual(store.media.keys(run.id));
  expect(second.media.items(run.id, 'histogram', 'w', 1)).toEqual([histogram(1)]);
  second.runs.remove(run.id);
  expect(second.media.keys(run.id)).toEqual([]);
});

test('steps are thinned evenly, with the first and the last', () => {
  const project = temporaryFolder();
  const run = newRun(join(project, 'a'));
  const store = openStore(join(project, 'store.db'));
  createRun(store, run);
  store.media.save(
    run.id,
    Array.from({ length: 101 }, (_, step) => text('w', step)),
  );
  const steps = (most: number) => store.media.overSteps(run.id, 'text', 'w', most).map(({ step }) => step);
  expect(steps(3)).toEqual([0, 50, 100]);
  expect(steps(200)).toHaveLength(101);
});

test('a run that logged nothing has no media folder to read', () => {
  expect(readMediaJournal(temporaryFolder())).toEqual([]);
});
