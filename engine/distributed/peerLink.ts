import type { Socket } from 'node:net';
import { deserialize, serialize } from 'node:v8';
import { EngineError } from '../api/errors.ts';
import type { Disposable } from '../base/disposable.ts';
import { encodeHeader, type Frame, type FrameHeader, FrameReader } from './frame.ts';

interface Waiter {
  readonly resolve: (frame: Frame) => void;
  readonly reject: (error: EngineError) => void;
}

const noBytes = new Uint8Array(0);
/** Frames kept for a rank that is slower than its peer, before the peer's stream is held back. */
const maxQueuedFrames = 16;

/** One connection between two ranks: frames out, frames in, in order, and one stated end. */
export class PeerLink implements Disposable {
  /** Rank at the other end; known once both have introduced themselves. */
  peer: number;
  readonly #socket: Socket;
  readonly #reader: FrameReader;
  readonly #queue: Frame[] = [];
  #waiter: Waiter | undefined;
  #failure: EngineError | undefined;

  constructor(socket: Socket, peer: number) {
    this.peer = peer;
    this.#socket = socket;
    this.#reader = new FrameReader();
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', (error) => this.#fail(this.#lost(error.message)));
    socket.on('close', () => this.#fail(this.#lost('its connection closed')));
  }

  /** Whether this side waits for a frame that has not come. */
  get isAwaited(): boolean {
    return this.#waiter !== undefined;
  }

  /**
   * Sends one frame; resolves when the bytes have left this process's memory, so that the caller may change them.
   * A broken link does not reject here: the reason comes from `receive`.
   */
  send(header: FrameHeader, payload: Uint8Array = noBytes): Promise<void> {
    if (this.#failure !== undefined || this.#socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => resolve();
      const head = encodeHeader(header, payload.byteLength);
      if (payload.byteLength === 0) {
        this.#socket.write(head, done);
        return;
      }
      this.#socket.cork();
      this.#socket.write(head);
      this.#socket.write(payload, done);
      this.#socket.uncork();
    });
  }

  /** The next frame in order. Rejects with the link's end when there will be none. */
  receive(): Promise<Frame> {
    const frame = this.#queue.shift();
    if (frame !== undefined) {
      if (this.#queue.length < maxQueuedFrames) this.#socket.resume();
      return Promise.resolve(frame);
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  release(frame: Frame): void {
    this.#reader.release(frame.payload);
  }

  dispose(): void {
    this.#fail(new EngineError('distributed.closed', 'This process has left the group of ranks.'));
    this.#socket.destroySoon();
  }

  #onData(chunk: Uint8Array): void {
    try {
      this.#reader.push(chunk, (frame) => this.#onFrame(frame));
    } catch (error) {
      this.#fail(this.#lost(error instanceof Error ? error.message : String(error)));
      this.#socket.destroy();
    }
  }

  #onFrame(frame: Frame): void {
    const end = endOf(frame, this.#name(), this.peer);
    if (end !== undefined) {
      this.#fail(end);
      return;
    }
    const waiter = this.#waiter;
    if (waiter !== undefined) {
      this.#waiter = undefined;
      waiter.resolve(frame);
      return;
    }
    this.#queue.push(frame);
    if (this.#queue.length >= maxQueuedFrames) this.#socket.pause();
  }

  #fail(error: EngineError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    const waiter = this.#waiter;
    this.#waiter = undefined;
    waiter?.reject(error);
  }

  #lost(why: string): EngineError {
    return new EngineError(
      'distributed.peer-lost',
      `${this.#name()} is gone: ${why}. Its own log (logs/rank${this.peer}.log) says what came first.`,
      { peer: this.peer },
    );
  }

  #name(): string {
    return this.peer < 0 ? 'A process that was joining' : `Rank ${this.peer}`;
  }
}

/** The error that a frame ends its link with, if it does. */
function endOf(frame: Frame, name: string, peer: number): EngineError | undefined {
  if (frame.operation === 'abort') return decodeAbort(frame.payload);
  if (frame.operation !== 'leave') return undefined;
  return new EngineError('distributed.peer-left', `${name} has finished and left the group.`, { peer });
}

/** The payload of an abort frame: every rank ends with the sentence of the rank that saw the mistake. */
export function encodeAbort(error: EngineError): Uint8Array {
  return serialize({ code: error.code, message: error.message, details: error.details });
}

function decodeAbort(payload: Uint8Array): EngineError {
  const value: unknown = deserialize(payload);
  if (typeof value !== 'object' || value === null || !('code' in value) || !('message' in value)) {
    return new EngineError('distributed.aborted', 'Another rank gave up without saying why.');
  }
  const details = 'details' in value && typeof value.details === 'object' ? value.details : {};
  return new EngineError(String(value.code), String(value.message), { ...details });
}
