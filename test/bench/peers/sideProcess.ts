import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { withLargePages } from '../../../engine/launch/workerEnvironment.ts';
import { batchSize, type ModelName, sliceSteps } from './tasks.ts';

const python = new Set(['pytorch', 'best', 'accelhydra', 'keras']);
const ours = new Set(['eager', 'compiled', 'overhead']);

/** What a slice of training shows. */
export interface SliceReadings extends Record<string, number> {
  /** Samples a second. */
  readonly wall: number;
  /** Samples a second of processor time, of all threads together. */
  readonly cpu: number;
  /** The most memory that the process had so far, in MiB. */
  readonly memory: number;
}

/**
 * One side of the training benchmark. The process prints `ready` (or `missing REASON`) and then, for each line that it
 * reads, trains a slice and prints `slice`, the seconds that it took, those of the processor, and its peak memory in bytes.
 */
export class SideProcess {
  readonly name: string;
  /** Why this side cannot run here. */
  readonly missing: string | undefined;
  readonly #samples: number;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterableIterator<string>;

  private constructor(
    name: string,
    samples: number,
    child: ChildProcess,
    lines: AsyncIterableIterator<string>,
    missing?: string,
  ) {
    this.name = name;
    this.#samples = samples;
    this.missing = missing;
    this.#child = child;
    this.#lines = lines;
  }

  /** With `stretch` a slice has so many times the usual steps. Only our own sides know it. */
  static async start(name: string, model: ModelName, threads: number, stretch = 1): Promise<SideProcess> {
    const [program, script] = python.has(name)
      ? [process.env.ACCELHYDRA_BENCH_PYTHON ?? 'python3', 'training.py']
      : [process.execPath, 'trainingSide.ts'];
    const child = spawn(program, [join(import.meta.dirname, script), name, model, String(threads), String(stretch)], {
      env: environment(name, threads),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const failed = new Promise<string>((resolve) => child.once('error', (error) => resolve(error.message)));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const answer = await Promise.race([failed, nextAnswer(lines, ['ready', 'missing'])]);
    const samples = sliceSteps[model] * stretch * batchSize;
    if (answer === 'ready') return new SideProcess(name, samples, child, lines);
    child.kill();
    return new SideProcess(name, samples, child, lines, answer.replace(/^missing /, ''));
  }

  /** `what` matters to a process that has several kinds of slices. */
  async slice(what = 'slice'): Promise<SliceReadings> {
    this.#child.stdin?.write(`${what}\n`);
    const answer = await nextAnswer(this.#lines, ['slice', 'missing']);
    const [seconds = 0, cpuSeconds = 0, bytes = 0] = answer.split(' ').slice(1).map(Number);
    if (!(seconds > 0)) throw new Error(`${this.name}: ${answer}`);
    return { wall: this.#samples / seconds, cpu: this.#samples / cpuSeconds, memory: bytes / 2 ** 20 };
  }

  end(): void {
    this.#child.kill();
  }
}

/** Libraries read these as they load. */
function environment(name: string, threads: number): NodeJS.ProcessEnv {
  return {
    ...process.env,
    OMP_NUM_THREADS: String(threads),
    MKL_NUM_THREADS: String(threads),
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: '1',
    TF_CPP_MIN_LOG_LEVEL: '2',
    KERAS_BACKEND: 'tensorflow',
    // the peers are measured as their users find them, our trainings as the launcher starts them
    ...(ours.has(name) ? { GLIBC_TUNABLES: withLargePages(process.env.GLIBC_TUNABLES) } : {}),
    ...(name === 'loop' || name === 'fit' ? { ACCELHYDRA_KERNELS: 'plain' } : {}),
  };
}

async function nextAnswer(lines: AsyncIterableIterator<string>, starts: readonly string[]): Promise<string> {
  for (;;) {
    const { value, done } = await lines.next();
    if (done === true) return 'missing its process ended early';
    if (starts.some((start) => value === start || value.startsWith(`${start} `))) return value;
  }
}
