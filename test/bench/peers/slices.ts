import { createInterface } from 'node:readline';

const asked = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Waits until the benchmark asks for a slice; gives what it asked for. Ends the process when the benchmark has gone. */
export async function nextSlice(): Promise<string> {
  const { value, done } = await asked.next();
  if (done === true) process.exit();
  return value;
}

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Clocks of one slice. `finish` says what sideProcess.ts reads: seconds by the wall, seconds of the processor, peak bytes. */
export class SliceClock {
  #wall = performance.now();
  #cpu = process.cpuUsage();

  start(): void {
    this.#wall = performance.now();
    this.#cpu = process.cpuUsage();
  }

  finish(): void {
    const seconds = (performance.now() - this.#wall) / 1000;
    const { user, system } = process.cpuUsage(this.#cpu);
    say(`slice ${seconds} ${(user + system) / 1e6} ${process.resourceUsage().maxRSS * 1024}`);
  }
}

/** Runs `slice` each time the benchmark asks. */
export async function serveSlices(slice: () => unknown): Promise<never> {
  const clock = new SliceClock();
  say('ready');
  for (;;) {
    await nextSlice();
    clock.start();
    await slice();
    clock.finish();
  }
}
