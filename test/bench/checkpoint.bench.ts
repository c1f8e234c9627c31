import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCheckpoint, saveCheckpoint, type TensorSource } from '../../engine/checkpoint/index.ts';
import { type Benchmark, type Contest, milliseconds } from './benchmark.ts';

// Weights of 64 MiB and twice as much of Adam's: what a model of 17 million parameters leaves behind. Both sides work on
// the same bytes in the same folder; reads come from the system's cache on both sides, which is the harder comparison.

const tensors = 16;
const floatsPerTensor = 1024 * 1024;

function values(prefix: string, count: number): TensorSource[] {
  return Array.from({ length: count }, (_, index) => {
    const data = new Float32Array(floatsPerTensor);
    for (let i = 0; i < data.length; i++) data[i] = Math.sin(i * 0.37 + index);
    return { name: `${prefix}.${index}`, dtype: 'F32', shape: [1024, 1024], data };
  });
}

async function prepare(): Promise<{ folder: string; save: (name: string) => Promise<void>; bytes: Uint8Array[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'checkpoint-bench-'));
  const [model, optimizer] = [values('model', tensors), values('optimizer', 2 * tensors)];
  const label = { kind: 'step', epoch: 1, step: 1, metrics: {}, time: 0, state: {} } as const;
  const save = async (name: string) => {
    await saveCheckpoint({ folder: join(folder, name), ...label, model, optimizer });
  };
  const bytes = [...model, ...optimizer].map(({ data }) => {
    if (typeof data === 'function') throw new Error('these tensors are in memory');
    return new Uint8Array(data.buffer);
  });
  return { folder, save, bytes };
}

async function saving(): Promise<Contest> {
  const { folder, save, bytes } = await prepare();
  let count = 0;
  return {
    ours: async () => {
      const name = `step_${count++}`;
      const took = await milliseconds(() => save(name));
      await rm(join(folder, name), { recursive: true });
      return took;
    },
    peer: async () => {
      const file = join(folder, 'plain');
      const took = await milliseconds(async () => {
        const handle = await open(file, 'w');
        for (const part of bytes) await handle.write(part);
        await handle.sync();
        await handle.close();
      });
      await rm(file);
      return took;
    },
    dispose: () => rm(folder, { recursive: true }),
  };
}

async function loading(): Promise<Contest> {
  const { folder, save } = await prepare();
  await save('step_1');
  const target = join(folder, 'step_1');
  return {
    ours: () => milliseconds(() => loadCheckpoint(target)),
    peer: () =>
      milliseconds(async () => {
        for (const name of ['model.safetensors', 'optimizer.safetensors']) await readPlainly(join(target, name));
      }),
    dispose: () => rm(folder, { recursive: true }),
  };
}

async function readPlainly(file: string): Promise<Uint8Array> {
  const bytes = new Uint8Array((await stat(file)).size);
  const handle = await open(file);
  for (let done = 0; done < bytes.length; )
    done += (await handle.read(bytes, done, bytes.length - done, done)).bytesRead;
  await handle.close();
  return bytes;
}

export const benchmarks: readonly Benchmark[] = [
  {
    name: 'checkpoint-save',
    metric: '192 MiB with hashes and fsync, against write and fsync',
    unit: 'ms',
    rounds: 7,
    prepare: saving,
  },
  {
    name: 'checkpoint-load',
    metric: '192 MiB with hashes checked, against read',
    unit: 'ms',
    rounds: 9,
    prepare: loading,
  },
];
