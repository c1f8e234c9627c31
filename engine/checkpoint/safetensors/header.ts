import { EngineError } from '../../api/errors.ts';
import { bytesPerElement, type Dtype, dtypes, isDtype } from './dtype.ts';

/** Where a tensor lies: offsets count from the first byte after the header. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Free text by key. */
  readonly metadata: ReadonlyMap<string, string>;
  /** First byte of the data within the file. */
  readonly dataStart: number;
}

/** The header's length field, before the header itself. */
export const LENGTH_BYTES = 8;
/** The format's own limit; a larger number is garbage or an attack. */
const LARGEST_HEADER = 100_000_000;

/**
 * Reads the length field.
 * @throws EngineError `checkpoint.safetensors.invalid`
 */
export function headerLength(bytes: Uint8Array, fileBytes: number, source: string): number {
  const other = otherFormat(bytes);
  if (other !== undefined) {
    const how = "safetensors.torch.save_file(torch.load(FILE, weights_only=True), 'OUT.safetensors')";
    throw invalid(source, `it is ${other}, as torch.save writes them. Convert it in Python: ${how}`);
  }
  if (bytes.length < LENGTH_BYTES) throw invalid(source, `it has only ${bytes.length} bytes`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (length > BigInt(LARGEST_HEADER)) throw invalid(source, `its header would have ${length} bytes`);
  if (LENGTH_BYTES + Number(length) > fileBytes) {
    throw invalid(source, `its header of ${length} bytes goes beyond the file's ${fileBytes} bytes: it was cut off`);
  }
  return Number(length);
}

/** A zip archive or a pickle that was given this ending; no header is that long, or begins so. */
function otherFormat([first, second, third, fourth]: Uint8Array): string | undefined {
  if (first === 0x50 && second === 0x4b && third === 3 && fourth === 4) return 'a zip archive';
  if (first === 0x80 && second === 2 && (third === 0x7d || third === 0x8a)) return 'a pickle';
  return undefined;
}

/**
 * Checks everything the header claims before any byte of data is touched: dtypes, shapes, and that the tensors fill the
 * data exactly, without gap or overlap.
 * @param json the header's bytes
 * @throws EngineError `checkpoint.safetensors.invalid`
 */
export function parseHeader(json: Uint8Array, fileBytes: number, source: string): SafetensorsHeader {
  const entries = Object.entries(parseJson(json, source));
  const metadata = new Map<string, string>();
  const tensors: TensorInfo[] = [];
  for (const [name, entry] of entries) {
    if (name !== '__metadata__') tensors.push(parseTensor(name, entry, source));
    else {
      if (!isRecord(entry)) throw invalid(source, '__metadata__ is no object');
      for (const [key, value] of Object.entries(entry)) {
        if (typeof value !== 'string') throw invalid(source, `__metadata__ '${key}' is no text`);
        metadata.set(key, value);
      }
    }
  }
  const dataStart = LENGTH_BYTES + json.length;
  checkCoverage(tensors, fileBytes - dataStart, source);
  return { tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])), metadata, dataStart };
}

function parseJson(json: Uint8Array, source: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (error) {
    throw invalid(source, 'its header is no JSON', error);
  }
  if (!isRecord(value)) throw invalid(source, 'its header is no JSON object');
  return value;
}

function parseTensor(name: string, entry: unknown, source: string): TensorInfo {
  const what = `tensor '${name}'`;
  if (!isRecord(entry)) throw invalid(source, `${what} is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== 'string' || !isDtype(dtype)) {
    throw invalid(source, `${what} has the dtype ${JSON.stringify(dtype)}; known: ${dtypes.join(', ')}`);
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) throw invalid(source, `${what} has no valid shape`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw invalid(source, `${what} has no valid data_offsets`);
  }
  const [begin, end]: number[] = offsets;
  if (begin === undefined || end === undefined || begin > end) throw invalid(source, `${what} ends before it begins`);
  // As BigInt: a hostile shape's product overflows.
  const size = shape.reduce(
    (product: bigint, extent: number) => product * BigInt(extent),
    BigInt(bytesPerElement(dtype)),
  );
  if (size !== BigInt(end - begin)) {
    throw invalid(source, `${what} of shape [${shape}] and dtype ${dtype} needs ${size} bytes, but has ${end - begin}`);
  }
  return { name, dtype, shape, begin, end };
}

function checkCoverage(tensors: readonly TensorInfo[], dataBytes: number, source: string): void {
  let covered = 0;
  for (const { name, begin, end } of tensors.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) {
      throw invalid(source, `tensor '${name}' ${begin < covered ? 'overlaps another' : 'leaves a gap before it'}`);
    }
    covered = end;
  }
  if (covered === dataBytes) return;
  const how = covered > dataBytes ? 'it was cut off' : 'there is something behind the last tensor';
  throw invalid(source, `its tensors need ${covered} bytes, but ${dataBytes} are there: ${how}`);
}

/** The header for tensors in the given order, padded so that the data starts at a multiple of 8. */
export function buildHeader(
  tensors: readonly { readonly name: string; readonly dtype: Dtype; readonly shape: readonly number[] }[],
  metadata: Readonly<Record<string, string>>,
): { readonly bytes: Uint8Array; readonly dataBytes: number } {
  const entries: [string, unknown][] = Object.keys(metadata).length > 0 ? [['__metadata__', metadata]] : [];
  let offset = 0;
  for (const { name, dtype, shape } of tensors) {
    const end = offset + elementCount(shape) * bytesPerElement(dtype);
    entries.push([name, { dtype, shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(LENGTH_BYTES + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, LENGTH_BYTES);
  return { bytes, dataBytes: offset };
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

export function invalid(source: string, reason: string, cause?: unknown): EngineError {
  return new EngineError(
    'checkpoint.safetensors.invalid',
    `${source} is no valid safetensors file: ${reason}.`,
    {
      file: source,
      reason,
    },
    { cause },
  );
}
