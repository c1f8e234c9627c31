import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { knownFiles, runFamily } from './framework.ts';

/** The recorded cases when they are there, else a few of them that lie in the repository. */
const recorded = resolve(import.meta.dirname, '../../../shared/conformance');
const sample = resolve(import.meta.dirname, '../fixtures/conformance');
const directory = existsSync(recorded) ? recorded : sample;

describe('conformance', () => {
  test.each(knownFiles(directory))('%s', { timeout: 120_000 }, async (file) => {
    const report = await runFamily(directory, file);
    expect(report.failures).toEqual([]);
    expect(report.total).toBeGreaterThan(0);
  });

  test('knows the families in the repository', () => {
    expect(knownFiles(sample)).toEqual(expect.arrayContaining(['interpolation.json', 'merge.json', 'to_yaml.json']));
  });
});
