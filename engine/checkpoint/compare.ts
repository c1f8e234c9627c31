import { join } from 'node:path';
import type { Difference } from '../api/verifyModel.ts';
import { parseExact } from '../base/exactJson.ts';
import { checkpointFiles } from './layout.ts';
import { fileSize, readText } from './list.ts';
import { openSafetensors, type SafetensorsFile, type TensorData } from './safetensors/read.ts';
import { toTensorValues } from './tensors.ts';

export interface Comparison {
  /** Tensors and values of the state that were compared. */
  readonly tensors: number;
  readonly values: number;
  /** The first difference; undefined when all is the same to the bit. */
  readonly difference: Difference | undefined;
}

/**
 * Compares two checkpoint folders bit by bit: weights, optimizer, averages, then the state. Manifest and config are not
 * compared. Tensors are read one pair at a time.
 */
export async function compareCheckpoints(recorded: string, replayed: string): Promise<Comparison> {
  let tensors = 0;
  for (const file of [checkpointFiles.model, checkpointFiles.optimizer, checkpointFiles.ema]) {
    const result = await compareFiles(recorded, replayed, file);
    tensors += result.tensors;
    if (result.difference !== undefined) return { tensors, values: 0, difference: result.difference };
  }
  const states = await Promise.all(
    [recorded, replayed].map(async (folder) => {
      const text = await readText(join(folder, checkpointFiles.state));
      return text === undefined ? undefined : parseExact(text);
    }),
  );
  const counter = { values: 0 };
  return { tensors, difference: compareValues(states[0], states[1], [], counter), values: counter.values };
}

async function compareFiles(recorded: string, replayed: string, file: string) {
  const paths = [join(recorded, file), join(replayed, file)] as const;
  const sizes = await Promise.all(paths.map(fileSize));
  if (sizes.every((size) => size === undefined)) return { tensors: 0, difference: undefined };
  for (const [index, size] of sizes.entries()) {
    if (size !== undefined) continue;
    const text = `only ${index === 0 ? 'the replay' : 'the record'} has the file`;
    return { tensors: 0, difference: { kind: 'layout', file, name: '', text } as const };
  }
  const files: SafetensorsFile[] = [];
  try {
    for (const path of paths) files.push(await openSafetensors(path));
    const [left, right] = files;
    if (left === undefined || right === undefined) throw new Error('Internal error: two files were opened');
    return await compareOpened(left, right, file);
  } finally {
    for (const opened of files) await opened.close();
  }
}

async function compareOpened(left: SafetensorsFile, right: SafetensorsFile, file: string) {
  const names = [...new Set([...left.header.tensors.keys(), ...right.header.tensors.keys()])];
  let first: Difference | undefined;
  let differing = 0;
  for (const name of names) {
    const difference = await compareTensor(left, right, file, name);
    if (difference === undefined) continue;
    differing++;
    first ??= difference;
  }
  const difference = first?.kind === 'tensor' ? { ...first, tensors: differing } : first;
  return { tensors: names.length, difference };
}

async function compareTensor(
  left: SafetensorsFile,
  right: SafetensorsFile,
  file: string,
  name: string,
): Promise<Difference | undefined> {
  const [a, b] = [left.header.tensors.get(name), right.header.tensors.get(name)];
  if (a === undefined || b === undefined) {
    return { kind: 'layout', file, name, text: `only ${a === undefined ? 'the replay' : 'the record'} has it` };
  }
  const [form, other] = [`${a.dtype} [${a.shape}]`, `${b.dtype} [${b.shape}]`];
  if (form !== other)
    return { kind: 'layout', file, name, text: `it is ${form} in the record, ${other} in the replay` };
  const [before, after] = [await left.read(name), await right.read(name)];
  return sameBytes(before, after) ? undefined : describe(before, after, file);
}

function bytesOf({ data }: TensorData): Buffer {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}

function sameBytes(a: TensorData, b: TensorData): boolean {
  return bytesOf(a).equals(bytesOf(b));
}

function describe(before: TensorData, after: TensorData, file: string): Difference {
  const [a, b] = [toTensorValues(before).values, toTensorValues(after).values];
  const [aBits, bBits] = [bytesOf(before), bytesOf(after)];
  const width = aBits.length / Math.max(1, a.length);
  let [first, elements, largest] = [-1, 0, 0];
  for (let index = 0; index < a.length; index++) {
    const [start, end] = [index * width, (index + 1) * width];
    if (aBits.compare(bBits, start, end, start, end) === 0) continue;
    if (first < 0) first = index;
    elements++;
    const distance = Math.abs((a[index] ?? 0) - (b[index] ?? 0));
    // a NaN on one side is as far as anything can be
    largest = Number.isNaN(distance) ? Number.NaN : Math.max(largest, distance);
  }
  return {
    kind: 'tensor',
    file,
    name: before.name,
    index: placeOf(first, before.shape),
    recorded: a[first] ?? Number.NaN,
    replayed: b[first] ?? Number.NaN,
    elements,
    size: a.length,
    largest,
    tensors: 1,
  };
}

function placeOf(flat: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  let rest = flat;
  for (const extent of shape.toReversed()) {
    index.unshift(rest % extent);
    rest = Math.floor(rest / extent);
  }
  return index;
}

/** The first value that differs, keys in the record's order. NaN equals NaN, 0 does not equal -0. */
export function compareValues(
  recorded: unknown,
  replayed: unknown,
  path: readonly string[] = [],
  counter: { values: number } = { values: 0 },
): Difference | undefined {
  if (isHolder(recorded) && isHolder(replayed) && Array.isArray(recorded) === Array.isArray(replayed)) {
    for (const key of new Set([...Object.keys(recorded), ...Object.keys(replayed)])) {
      const found = compareValues(Reflect.get(recorded, key), Reflect.get(replayed, key), [...path, key], counter);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  counter.values++;
  if (Object.is(recorded, replayed)) return undefined;
  return { kind: 'state', path: path.join('.'), recorded: shown(recorded), replayed: shown(replayed) };
}

function isHolder(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function shown(value: unknown): string {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  return value === undefined ? 'nothing' : (JSON.stringify(value)?.slice(0, 200) ?? String(value));
}
