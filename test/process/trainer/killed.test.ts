import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Random } from '../../../engine/base/random.ts';
import { compareCheckpoints } from '../../../engine/checkpoint/index.ts';

// Real processes, real SIGKILL, real folders: a shuffled stream with a state of its own (with worker threads, where
// there is one process), dropout, batch norm, accumulation, a schedule, averages and an object of the
// project's own are on. Checkpoints are two steps apart, so that most kills lose work, often within an accumulation.

const script = fileURLToPath(new URL('../../fixtures/trainer/killedRank.ts', import.meta.url));
const totalSteps = 36;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'killed-'));
});
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
const children = new Set<ChildProcess>();

/** One life of a training of so many processes; true when it came to its end. */
async function live(name: string, worldSize: number, killAt: string, victim = 0): Promise<boolean> {
  mkdirSync(join(folder, name), { recursive: true });
  const ends = Array.from({ length: worldSize }, async (_, rank) => {
    const killArgument = rank === victim ? killAt : 'never';
    const child = spawn(process.execPath, [script, join(folder, name), String(rank), String(worldSize), killArgument], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    children.add(child);
    let errors = '';
    child.stderr.on('data', (chunk) => {
      errors += String(chunk);
    });
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    children.delete(child);
    // the others see the killed one leave; everything else is a failure of its own
    if (code !== 0 && signal !== 'SIGKILL' && !errors.includes('distributed.')) throw new Error(errors);
    return code === 0;
  });
  return (await Promise.all(ends)).every(Boolean);
}

/** Losses by step as the last life that came there saw them, and what the project drew. */
function curve(name: string, rank: number): Map<number, readonly [number, number]> {
  const lines = readFileSync(join(folder, name, `losses.${rank}.jsonl`), 'utf8')
    .trim()
    .split('\n');
  return new Map(
    lines.map((line) => {
      const [step, loss, drawn] = JSON.parse(line) as [number, number, number];
      return [step, [loss, drawn]];
    }),
  );
}

test.each([1, 2])(
  'killed with SIGKILL at random steps and resumed, it is the same to the bit: %i processes',
  async (worldSize) => {
    const seed = Number(process.env.KILL_SEED ?? Date.now() % 1_000_000);
    const random = new Random(seed, worldSize);
    // steps in order, so that each life comes to its own; where in the step is random too
    const kills = Array.from({ length: 2 }, () => random.uniform() * totalSteps).sort((a, b) => a - b);
    const lives = kills.map((at) => ({ at: at.toFixed(3), victim: random.integer(worldSize) }));
    const [whole, killed] = [`whole${worldSize}`, `killed${worldSize}`];
    const what = `KILL_SEED=${seed}: ${lives.map(({ at, victim }) => `rank ${victim} at ${at}`).join(', ')}`;
    process.stdout.write(`${worldSize} processes, ${what}\n`);
    const undisturbed = live(whole, worldSize, 'never');
    const ends: boolean[] = [];
    for (const { at, victim } of lives) ends.push(await live(killed, worldSize, at, victim));
    expect(ends, what).toContain(false);
    expect(await live(killed, worldSize, 'never'), what).toBe(true);
    expect(await undisturbed, what).toBe(true);
    for (let rank = 0; rank < worldSize; rank++) {
      expect(
        [...curve(killed, rank)].sort(([a], [b]) => a - b),
        what,
      ).toEqual([...curve(whole, rank)]);
      expect(readFileSync(join(folder, killed, `weights.${rank}.json`), 'utf8'), what).toBe(
        readFileSync(join(folder, whole, `weights.${rank}.json`), 'utf8'),
      );
    }
    const { streams } = JSON.parse(readFileSync(join(folder, killed, 'checkpoints/step_36/state.json'), 'utf8'));
    expect(streams).toHaveLength(worldSize);
    const kept = readdirSync(join(folder, whole, 'checkpoints')).filter((name) => !name.startsWith('.'));
    expect(kept.sort()).toEqual(['best', 'epoch_4', 'step_36']);
    for (const path of [...kept.map((name) => join('checkpoints', name)), 'ckpt_step_11', 'ckpt_step_33']) {
      const compared = await compareCheckpoints(join(folder, whole, path), join(folder, killed, path));
      expect(compared.difference, `${path}, ${what}`).toBeUndefined();
    }
    expect(existsSync(join(folder, killed, 'ckpt_step_22'))).toBe(true);
    // half-written folders of the killed lives were cleared away
    expect(readdirSync(join(folder, killed, 'checkpoints')).filter((name) => name.startsWith('.'))).toEqual([]);
  },
  120_000,
);
