import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isProcessAlive } from '../../engine/runs/heartbeat.ts';
import { LaunchBench, until } from '../support/launching.ts';

interface Command {
  readonly child: ChildProcess;
  readonly runDir: string;
  readonly lines: string[];
  readonly exited: Promise<number | null>;
}

let bench: LaunchBench;
let commands: ChildProcess[];

beforeEach(() => {
  bench = new LaunchBench();
  commands = [];
});

afterEach(async () => {
  for (const child of commands) child.kill('SIGKILL');
  await bench.dispose();
});

/** A command in a process group of its own, as a shell starts it, once its training runs. */
async function train(config: string): Promise<Command> {
  const request = bench.request(config);
  const module = fileURLToPath(new URL('../fixtures/launch/foreground.ts', import.meta.url));
  const child = spawn(process.execPath, [module, bench.store.file, JSON.stringify(request)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  commands.push(child);
  const lines: string[] = [];
  child.stdout?.on('data', (chunk: Buffer) => lines.push(...chunk.toString().trim().split('\n')));
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  await until(() => lines.includes('status running'), 'training');
  bench.track(Number(lines[0]?.split(' ')[1]));
  return { child, runDir: request.expDir, lines, exited };
}

/** What a terminal does at Ctrl-C: the signal goes to the whole foreground group. */
function pressControlC({ child }: Command): void {
  process.kill(-(child.pid ?? 0), 'SIGINT');
}

describe('a training in the foreground', () => {
  test('Ctrl-C once saves and ends cleanly', async () => {
    const command = await train('mode: steps\nsteps: 4000\n');
    const workers = await bench.workers(command.runDir, 2);
    pressControlC(command);
    expect(await command.exited).toBe(0);
    expect(command.lines.slice(-4)).toEqual(['status running', 'signal stop', 'status stopping', 'end stopped']);
    expect(workers.filter((pid) => isProcessAlive(pid))).toEqual([]);
    const run = bench.store.runs.findByFolder(command.runDir);
    expect(run?.status).toBe('stopped');
    expect(bench.store.checkpoints.list(run?.id ?? '', command.runDir)[0]?.step).toBe(run?.progress?.step);
  });

  test('Ctrl-C twice ends at once and leaves no process', async () => {
    const command = await train('mode: deaf\nsteps: 4000\n');
    const workers = await bench.workers(command.runDir, 2);
    pressControlC(command);
    await until(() => command.lines.includes('status stopping'), 'the polite stop');
    pressControlC(command);
    const began = Date.now();
    expect(await command.exited).toBe(0);
    expect(Date.now() - began).toBeLessThan(3000);
    expect(command.lines).toEqual(expect.arrayContaining(['signal stop', 'signal kill', 'end killed']));
    expect(workers.filter((pid) => isProcessAlive(pid))).toEqual([]);
  });

  test('a terminal that is closed leaves it training', async () => {
    const command = await train('mode: steps\nsteps: 150\n');
    const workers = await bench.workers(command.runDir, 2);
    process.kill(-(command.child.pid ?? 0), 'SIGHUP');
    await command.exited;
    expect(workers.every((pid) => isProcessAlive(pid))).toBe(true);
    await until(() => bench.store.runs.findByFolder(command.runDir)?.status === 'completed', 'the training to end');
  });
});
