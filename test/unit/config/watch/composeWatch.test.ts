import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MemorySource } from '../../../../engine/config/compose/memorySource.ts';
import { composeWatch, type WatchEvent } from '../../../../engine/config/watch/composeWatch.ts';

const FILES = { 'config.yaml': 'defaults:\n  - model: mlp\n  - _self_\nseed: 1\n', 'model/mlp.yaml': 'depth: 2\n' };

function told(event: WatchEvent | undefined): unknown {
  if (event?.kind !== 'composed') return event?.error.message.split('\n')[0];
  return event.changes.map(({ kind, path: place, before, after }) => `${kind} ${place} ${before ?? ''}>${after ?? ''}`);
}

describe('composeWatch', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('tells what changed, once for changes that come together, and nothing when nothing did', () => {
    const source = new MemorySource(FILES);
    const events: WatchEvent[] = [];
    const watching = composeWatch({ searchPath: [source], configName: 'config' }, (event) => events.push(event));
    expect(told(events[0])).toEqual(['added model.depth >2', 'added seed >1']);

    source.write('model/mlp.yaml', 'depth: 3\nwidth: 8\n');
    source.write('config.yaml', 'defaults:\n  - model: mlp\n');
    vi.runAllTimers();
    expect(told(events[1])).toEqual(['changed model.depth 2>3', 'added model.width >8', 'removed seed 1>']);

    source.write('model/other.yaml', 'unused: true\n');
    vi.runAllTimers();
    expect(events).toHaveLength(2);
    watching.dispose();
  });

  test('tells a failure once, and when it is over', () => {
    const source = new MemorySource(FILES);
    const events: WatchEvent[] = [];
    const watching = composeWatch({ searchPath: [source], configName: 'config' }, (event) => events.push(event));
    source.remove('model/mlp.yaml');
    vi.runAllTimers();
    source.write('unrelated.yaml', 'a: 1\n');
    vi.runAllTimers();
    expect(events).toHaveLength(2);
    expect(told(events[1])).toBe("In 'config': Could not find 'model/mlp'");
    source.write('model/mlp.yaml', 'depth: 2\n');
    vi.runAllTimers();
    expect(events).toHaveLength(3);
    expect(told(events[2])).toEqual([]);
    watching.dispose();
  });

  test('says nothing after it was disposed', () => {
    const source = new MemorySource(FILES);
    const events: WatchEvent[] = [];
    const watching = composeWatch({ searchPath: [source], configName: 'config' }, (event) => events.push(event));
    source.write('config.yaml', 'seed: 9\n');
    watching.dispose();
    vi.runAllTimers();
    expect(events).toHaveLength(1);
  });
});

test('files on disk are watched', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'watch-'));
  writeFileSync(path.join(directory, 'config.yaml'), 'a: 1\n');
  const events: WatchEvent[] = [];
  const watching = composeWatch({ searchPath: [directory], configName: 'config' }, (event) => events.push(event));
  try {
    // The first change may come before the watcher is ready, so it is written until it is seen.
    await vi.waitFor(
      () => {
        if (events.length < 2)
          writeFileSync(path.join(directory, 'config.yaml'), `a: ${events.length + 1}\nb: ${Date.now()}\n`);
        expect(events.length).toBeGreaterThan(1);
      },
      { timeout: 10_000, interval: 200 },
    );
    expect(JSON.stringify(told(events[1]))).toContain('changed a 1>2');
  } finally {
    watching.dispose();
    rmSync(directory, { recursive: true, force: true });
  }
});
