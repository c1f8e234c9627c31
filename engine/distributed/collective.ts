import { deserialize, serialize } from 'node:v8';
import { EngineError, toEngineError } from '../api/errors.ts';
import type { Collective } from '../api/training.ts';
import type { Disposable } from '../base/disposable.ts';
import type { RankAddress } from './address.ts';
import type { Frame, FrameHeader, FrameOperation } from './frame.ts';
import { encodeAbort, type PeerLink } from './peerLink.ts';
import { reduceInOrder, shareOf } from './reduce.ts';
import { joinRanks } from './rendezvous.ts';
import { singleProcessCollective } from './singleProcess.ts';

export interface CollectiveOptions {
  readonly rank: number;
  readonly worldSize: number;
  readonly address: RankAddress;
  readonly token: string;
  /** Default 120 s: processes load their libraries and data before they join. */
  readonly joinTimeoutMs?: number;
  /** Default 30 min, as long as rank 0 may be busy alone (a large checkpoint, a hook of the project). */
  readonly operationTimeoutMs?: number;
}

/** A collective with a life: `dispose` says good-bye to the other ranks and closes the links. */
export interface ConnectedCollective extends Collective, Disposable {}

/** Above this, ranks divide the work of a reduction instead of each doing all of it. */
const divideAboveBytes = 64 * 1024;

/**
 * Joins the other ranks of the run and resolves when all are there. With one process there is nobody to join.
 * Throws what `joinRanks` throws. Every operation may later throw `distributed.mismatch`, `distributed.timeout`,
 * `distributed.peer-lost` or `distributed.peer-left`; after the first of them the group is broken for good.
 */
export async function connectCollective(options: CollectiveOptions): Promise<ConnectedCollective> {
  if (options.worldSize === 1) return { ...singleProcessCollective(), dispose: () => undefined };
  const links = await joinRanks({ ...options, joinTimeoutMs: options.joinTimeoutMs ?? 120_000 });
  return new SocketCollective(options, links);
}

/** Collectives over one socket for every pair of ranks; calls are taken in order, one at a time. */
class SocketCollective implements ConnectedCollective {
  readonly rank: number;
  readonly worldSize: number;
  readonly #links: readonly PeerLink[];
  readonly #timeoutMs: number;
  #sequence = 0;
  #tail: Promise<unknown> = Promise.resolve();
  #failure: EngineError | undefined;
  #disposed = false;
  /** Names of the latest operations by sequence, to say what this rank did when another did something else. */
  readonly #history = new Map<number, string>();

  constructor(options: CollectiveOptions, links: ReadonlyMap<number, PeerLink>) {
    this.rank = options.rank;
    this.worldSize = options.worldSize;
    this.#links = [...links.values()].sort((a, b) => a.peer - b.peer);
    this.#timeoutMs = options.operationTimeoutMs ?? 30 * 60_000;
  }

  allReduce(values: Float32Array, operation: 'sum' | 'mean'): Promise<void> {
    const divide = this.worldSize > 2 && values.byteLength > divideAboveBytes;
    return this.#inOrder(`allReduce ${operation}`, values.length, (call) =>
      divide ? this.#reduceDivided(call, values, operation) : this.#reduceWhole(call, values, operation),
    );
  }

  broadcast(values: Float32Array): Promise<void> {
    return this.#inOrder('broadcast', values.length, async (call) => {
      if (this.rank === 0) return this.#sendToAll(call, bytesOf(values));
      const root = this.#links[0];
      if (root === undefined) return;
      const frame = await this.#expect(root, call, values.byteLength);
      values.set(floatsOf(frame));
      root.release(frame);
    });
  }

  allGather<T>(value: T): Promise<T[]> {
    return this.#inOrder('allGather', 0, async (call) => {
      const own = serialize(value);
      const sent = this.#sendToAll(call, own);
      // through the same door as the others' values, so that no rank shares an object with its caller
      const gathered: T[] = [];
      gathered[this.rank] = deserialize(own);
      const receive = async (link: PeerLink) => {
        const frame = await this.#expect(link, call);
        gathered[link.peer] = deserialize(frame.payload);
      };
      await Promise.all([sent, ...this.#links.map(receive)]);
      return gathered;
    });
  }

  barrier(): Promise<void> {
    return this.#inOrder('barrier', 0, async (call) => {
      const sent = this.#sendToAll(call);
      await Promise.all([sent, ...this.#links.map((link) => this.#expect(link, call, 0))]);
    });
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    const leave = this.#header('leave', this.#sequence, 0);
    await Promise.all(this.#links.map((link) => link.send(leave)));
    for (const link of this.#links) link.dispose();
  }

  /** Every rank gets everyone's values and adds all of them up: one trip, best for two ranks and short arrays. */
  async #reduceWhole(call: FrameHeader, values: Float32Array, operation: 'sum' | 'mean'): Promise<void> {
    const sent = this.#sendToAll(call, bytesOf(values));
    const frames = await Promise.all(this.#links.map((link) => this.#expect(link, call, values.byteLength)));
    await sent; // the bytes of `values` must have left before they are written over
    this.#reduceFrames(values, frames, operation);
  }

  /** Each rank adds up its share of the values for all and sends the result round: two trips, each byte moved twice. */
  async #reduceDivided(call: FrameHeader, values: Float32Array, operation: 'sum' | 'mean'): Promise<void> {
    const share = (rank: number) => {
      const { start, end } = shareOf(values.length, rank, this.worldSize);
      return values.subarray(start, end);
    };
    const own = share(this.rank);
    const sent = this.#links.map((link) => link.send(call, bytesOf(share(link.peer))));
    const frames = await Promise.all(this.#links.map((link) => this.#expect(link, call, own.byteLength)));
    this.#reduceFrames(own, frames, operation);
    const results = { ...call, part: 1 };
    sent.push(this.#sendToAll(results, bytesOf(own)));
    const receive = async (link: PeerLink) => {
      const target = share(link.peer);
      const frame = await this.#expect(link, results, target.byteLength);
      target.set(floatsOf(frame));
      link.release(frame);
    };
    await Promise.all(this.#links.map(receive));
    await Promise.all(sent);
  }

  #reduceFrames(own: Float32Array, frames: readonly Frame[], operation: 'sum' | 'mean'): void {
    const parts = frames.map(floatsOf);
    parts.splice(this.rank, 0, own);
    reduceInOrder(own, parts, operation);
    frames.forEach((frame, index) => {
      this.#links[index]?.release(frame);
    });
  }

  async #sendToAll(call: FrameHeader, payload?: Uint8Array): Promise<void> {
    await Promise.all(this.#links.map((link) => link.send(call, payload)));
  }

  async #expect(link: PeerLink, call: FrameHeader, payloadBytes?: number): Promise<Frame> {
    const frame = await link.receive();
    if (frame.operation === call.operation && frame.sequence === call.sequence && frame.count === call.count) {
      if (frame.part === call.part && (payloadBytes ?? frame.payload.length) === frame.payload.length) return frame;
    }
    throw this.#mismatch(link.peer, frame, call);
  }

  #mismatch(peer: number, frame: Frame, call: FrameHeader): EngineError {
    const theirs = describe(frame);
    const ours = this.#history.get(frame.sequence) ?? describe(call);
    return new EngineError(
      'distributed.mismatch',
      `Rank ${peer} called ${theirs} while rank ${this.rank} called ${ours} (operation ${frame.sequence}). All ranks must call the same collective operations in the same order; look for a hook that does so on some ranks only.`,
      { peer, rank: this.rank, theirs, ours, sequence: frame.sequence },
    );
  }

  #inOrder<T>(operation: FrameOperation, count: number, body: (call: FrameHeader) => Promise<T>): Promise<T> {
    const run = async (): Promise<T> => {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#disposed)
        throw new EngineError('distributed.closed', `Rank ${this.rank} has left; ${operation} is too late.`);
      this.#sequence = (this.#sequence + 1) >>> 0;
      const call = this.#header(operation, this.#sequence, count);
      this.#history.set(this.#sequence, describe(call));
      this.#history.delete(this.#sequence - 64);
      return this.#limited(call, body(call));
    };
    const result = this.#tail.then(run);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  async #limited<T>(call: FrameHeader, work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.#late(call)), this.#timeoutMs);
    });
    try {
      return await Promise.race([work, limit]);
    } catch (error) {
      throw this.#break(this.#inContext(call, toEngineError(error, 'distributed.failed')));
    } finally {
      clearTimeout(timer);
    }
  }

  #late(call: FrameHeader): EngineError {
    // a rank that has sent nothing is the late one; those whose frames are here wait as we do
    const absent = this.#links.filter((link) => link.isAwaited).map((link) => link.peer);
    const names = absent.map((rank) => `rank ${rank}`).join(', ') || 'the other ranks';
    return new EngineError(
      'distributed.timeout',
      `Rank ${this.rank} waited ${this.#timeoutMs / 1000} s in ${describe(call)} (operation ${call.sequence}) for ${names}.`,
      { absent, operation: call.operation, sequence: call.sequence },
    );
  }

  #inContext(call: FrameHeader, error: EngineError): EngineError {
    if (error.code !== 'distributed.peer-lost' && error.code !== 'distributed.peer-left') return error;
    return new EngineError(
      error.code,
      `${error.message} Rank ${this.rank} was in ${describe(call)} (operation ${call.sequence}).`,
      { ...error.details, operation: call.operation, sequence: call.sequence },
      { cause: error },
    );
  }

  /** The group is over: the others hear why instead of running into a closed connection. */
  #break(error: EngineError): EngineError {
    if (this.#failure !== undefined) return error;
    this.#failure = error;
    const abort = this.#header('abort', this.#sequence, 0);
    void this.#sendToAll(abort, encodeAbort(error)).then(() => {
      // nothing can follow; open links would only keep the process alive
      for (const link of this.#links) link.dispose();
    });
    return error;
  }

  #header(operation: FrameOperation, sequence: number, count: number): FrameHeader {
    return { operation, rank: this.rank, sequence, part: 0, count };
  }
}

function describe(call: FrameHeader): string {
  return call.count > 0 ? `${call.operation} of ${call.count} values` : call.operation;
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function floatsOf(frame: Frame): Float32Array {
  return new Float32Array(frame.payload.buffer, 0, frame.payload.length / 4);
}
