/**
 * The binary frames that ranks exchange: a fixed header, then raw bytes. Little-endian; all ranks run on one machine.
 *
 *   0 u8   magic            4 u32  sequence of the operation     16 u48  payload bytes
 *   1 u8   operation        8 u32  part within the operation     22 u16  unused
 *   2 u16  rank of sender  12 u32  values per rank (0: not an array)
 */

export type FrameOperation =
  | 'hello'
  | 'welcome'
  | 'allReduce sum'
  | 'allReduce mean'
  | 'broadcast'
  | 'allGather'
  | 'barrier'
  | 'leave'
  | 'abort';

export interface FrameHeader {
  readonly operation: FrameOperation;
  readonly rank: number;
  /** Number of the collective call, counted on every rank from 1. */
  readonly sequence: number;
  /** Which leg of the operation: 0 contributions, 1 results. */
  readonly part: number;
  /** Length of the whole array that the sender called with, so that unequal calls are told apart. */
  readonly count: number;
}

export interface Frame extends FrameHeader {
  readonly payload: Uint8Array<ArrayBuffer>;
}

export const frameHeaderBytes = 24;
const magic = 0xac;
const operations: readonly FrameOperation[] = [
  'hello',
  'welcome',
  'allReduce sum',
  'allReduce mean',
  'broadcast',
  'allGather',
  'barrier',
  'leave',
  'abort',
];

/** The 24 header bytes of a frame whose payload has `payloadBytes` bytes. */
export function encodeHeader(header: FrameHeader, payloadBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(frameHeaderBytes);
  bytes[0] = magic;
  bytes[1] = operations.indexOf(header.operation);
  bytes.writeUInt16LE(header.rank, 2);
  bytes.writeUInt32LE(header.sequence, 4);
  bytes.writeUInt32LE(header.part, 8);
  bytes.writeUInt32LE(header.count, 12);
  bytes.writeUIntLE(payloadBytes, 16, 6);
  bytes.writeUInt16LE(0, 22);
  return bytes;
}

/**
 * Reads frames out of a byte stream cut anywhere. Payloads land in buffers lent by a small pool, aligned for any
 * element type; give one back with `release` once its values are used. Throws when the bytes are not our protocol or
 * a payload is larger than `maxPayloadBytes`.
 */
export class FrameReader {
  readonly #pool = new Map<number, ArrayBuffer[]>();
  readonly #header = Buffer.alloc(frameHeaderBytes);
  readonly #maxPayloadBytes: number;
  #headerFilled = 0;
  #payload: Uint8Array<ArrayBuffer> | undefined;
  #payloadFilled = 0;

  constructor(maxPayloadBytes = 2 ** 32) {
    this.#maxPayloadBytes = maxPayloadBytes;
  }

  /** Takes the next bytes of the stream and hands on every frame that they complete. */
  push(chunk: Uint8Array, onFrame: (frame: Frame) => void): void {
    let offset = 0;
    while (offset < chunk.length || this.#isEmptyPayloadPending()) {
      if (this.#payload === undefined) {
        const taken = Math.min(frameHeaderBytes - this.#headerFilled, chunk.length - offset);
        this.#header.set(chunk.subarray(offset, offset + taken), this.#headerFilled);
        this.#headerFilled += taken;
        offset += taken;
        if (this.#headerFilled === frameHeaderBytes) this.#payload = this.#borrow(this.#payloadBytes());
      } else {
        const taken = Math.min(this.#payload.length - this.#payloadFilled, chunk.length - offset);
        this.#payload.set(taken === chunk.length ? chunk : chunk.subarray(offset, offset + taken), this.#payloadFilled);
        this.#payloadFilled += taken;
        offset += taken;
        if (this.#payloadFilled === this.#payload.length) onFrame(this.#complete(this.#payload));
      }
    }
  }

  release(payload: Uint8Array<ArrayBuffer>): void {
    const size = payload.buffer.byteLength;
    if (size === 0) return;
    const free = this.#pool.get(size);
    if (free === undefined) {
      // sizes repeat from step to step; a stream of ever new sizes must not be hoarded
      if (this.#pool.size >= 16) this.#pool.clear();
      this.#pool.set(size, [payload.buffer]);
    } else if (free.length < 2) free.push(payload.buffer);
  }

  #isEmptyPayloadPending(): boolean {
    return this.#payload !== undefined && this.#payload.length === 0;
  }

  #payloadBytes(): number {
    if (this.#header[0] !== magic || operations[this.#header[1] ?? 255] === undefined) {
      throw new Error('the bytes received are not frames of this program');
    }
    const size = this.#header.readUIntLE(16, 6);
    if (size > this.#maxPayloadBytes) throw new Error(`a frame of ${size} bytes is larger than allowed`);
    return size;
  }

  #borrow(size: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#pool.get(size)?.pop() ?? new ArrayBuffer(size));
  }

  #complete(payload: Uint8Array<ArrayBuffer>): Frame {
    const header = this.#header;
    this.#payload = undefined;
    this.#payloadFilled = 0;
    this.#headerFilled = 0;
    return {
      operation: operations[header[1] ?? 0] ?? 'abort',
      rank: header.readUInt16LE(2),
      sequence: header.readUInt32LE(4),
      part: header.readUInt32LE(8),
      count: header.readUInt32LE(12),
      payload,
    };
  }
}
