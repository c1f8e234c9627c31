import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { captureSurroundings } from '../../../engine/launch/environment.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'surroundings-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function git(...commandArguments: string[]): string {
  const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', '-c', 'init.defaultBranch=main'];
  return execFileSync('git', ['-C', folder, ...identity, ...commandArguments], { encoding: 'utf8' }).trim();
}

describe('captureSurroundings', () => {
  test('outside of git there is the machine', async () => {
    const cpu = { id: 'cpu', kind: 'cpu', name: 'Some CPU', cores: 4 } as const;
    const surroundings = await captureSurroundings(folder, 'accelhydra train', [cpu]);
    expect(surroundings).toMatchObject({
      host: hostname(),
      environment: {
        command: 'accelhydra train',
        folder,
        node: process.versions.node,
        devices: [{ id: 'cpu', name: 'Some CPU' }],
      },
    });
    expect(surroundings.git).toBeUndefined();
    expect(surroundings.codeDiff).toBeUndefined();
  });

  test('the commit, the branch, and what differs from it', async () => {
    git('init', '-q');
    writeFileSync(join(folder, 'model.ts'), 'export const depth = 2;\n');
    git('add', '.');
    git('commit', '-q', '-m', 'first');
    const clean = await captureSurroundings(folder, '', []);
    expect(clean.git).toEqual({ commit: git('rev-parse', 'HEAD'), branch: 'main', dirty: false });
    expect(clean.codeDiff).toBeUndefined();
    writeFileSync(join(folder, 'model.ts'), 'export const depth = 3;\n');
    writeFileSync(join(folder, 'größe neu.ts'), 'export const x = 1;\n');
    const dirty = await captureSurroundings(folder, '', []);
    expect(dirty.git?.dirty).toBe(true);
    expect(dirty.codeDiff).toContain('-export const depth = 2;\n+export const depth = 3;');
    expect(dirty.environment.git).toMatchObject({ untracked: ['größe neu.ts'] });
  });

  test('a repository without a commit is like none', async () => {
    git('init', '-q');
    expect((await captureSurroundings(folder, '', [])).git).toBeUndefined();
  });
});
