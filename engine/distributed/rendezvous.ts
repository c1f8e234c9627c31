import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { EngineError, toEngineError } from '../api/errors.ts';
import { formatAddress, parseAddress, type RankAddress } from './address.ts';
import type { FrameHeader, FrameOperation } from './frame.ts';
import { encodeAbort, PeerLink } from './peerLink.ts';

export interface RendezvousOptions {
  readonly rank: number;
  readonly worldSize: number;
  /** Where rank 0 listens. TCP port 0 is refused: the other ranks could not know it. */
  readonly address: RankAddress;
  /** Shared secret of the run; a process without it is turned away. */
  readonly token: string;
  /** How long ranks wait for each other at the start. */
  readonly joinTimeoutMs: number;
}

const Hello = z.object({ rank: z.number(), worldSize: z.number(), token: z.string(), address: z.string() });
const Welcome = z.object({ addresses: z.array(z.string()) });

/**
 * Links every rank with every other: rank 0 listens at the address all know, the others join it, say where they listen
 * themselves, and get the list of all. Resolves with one link per other rank, at the index of its rank. Throws
 * `distributed.port-taken`, `distributed.join-timeout` (with the ranks that are missing) or `distributed.refused`.
 */
export async function joinRanks(options: RendezvousOptions): Promise<ReadonlyMap<number, PeerLink>> {
  const deadline = new AbortController();
  const door = new Door(options);
  const timer = setTimeout(() => deadline.abort(), options.joinTimeoutMs);
  try {
    const joined = options.rank === 0 ? gather(options, door) : join(options, door, deadline.signal);
    const timeout = new Promise<never>((_, reject) => {
      deadline.signal.addEventListener('abort', () => reject(joinTimeout(options, door)), { once: true });
    });
    await Promise.race([joined, timeout, door.failed]);
    return door.links;
  } catch (error) {
    const failure = toEngineError(error, 'distributed.join-failed');
    await Promise.all(
      [...door.links.values()].map((link) => link.send(header(options, 'abort'), encodeAbort(failure))),
    );
    for (const link of door.links.values()) link.dispose();
    throw failure;
  } finally {
    clearTimeout(timer);
    deadline.abort();
    door.close();
  }
}

/** What a rank listens with while ranks join, and the links made so far. */
class Door {
  readonly links = new Map<number, PeerLink>();
  /** Rejects when a joiner shows that the group cannot be formed. */
  readonly failed: Promise<never>;
  readonly #options: RendezvousOptions;
  readonly #addresses = new Map<number, string>();
  #server: Server | undefined;
  #fail: (error: EngineError) => void = () => undefined;
  #arrived: () => void = () => undefined;

  constructor(options: RendezvousOptions) {
    this.#options = options;
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => undefined);
  }

  addressesByRank(): string[] {
    return Array.from({ length: this.#options.worldSize }, (_, rank) => this.#addresses.get(rank) ?? '');
  }

  missing(from: number): number[] {
    const all = Array.from({ length: this.#options.worldSize }, (_, rank) => rank);
    return all.filter((rank) => rank >= from && rank !== this.#options.rank && !this.links.has(rank));
  }

  async listen(address: RankAddress): Promise<RankAddress> {
    const server = createServer(
      (socket) => void this.#welcome(socket).catch((error) => this.#fail(toEngineError(error))),
    );
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      if (address.kind === 'path') server.listen(address.path, resolve);
      else server.listen({ host: address.host, port: address.port, exclusive: true }, resolve);
    });
    server.on('error', (error) => this.#fail(toEngineError(error)));
    const bound = server.address();
    return typeof bound === 'object' && bound !== null && address.kind === 'tcp'
      ? { ...address, port: bound.port }
      : address;
  }

  /** Resolves when every rank from `from` up has joined. */
  async everyone(from: number): Promise<void> {
    while (this.missing(from).length > 0) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
  }

  close(): void {
    this.#server?.close();
  }

  async #welcome(socket: Socket): Promise<void> {
    const { rank, worldSize, token } = this.#options;
    const link = new PeerLink(socket, -1);
    const frame = await link.receive().catch(() => undefined);
    const hello = frame?.operation === 'hello' ? readJson(Hello, frame.payload) : undefined;
    // a stranger on the loopback interface is not our failure: it is turned away and the ranks go on joining
    if (hello === undefined || hello.token !== token) return socket.destroy() && undefined;
    const wrong = helloProblem(hello, worldSize, this.links.has(hello.rank));
    if (wrong !== undefined) {
      const error = new EngineError('distributed.refused', wrong, { rank: hello.rank, worldSize: hello.worldSize });
      await link.send(header(this.#options, 'abort'), encodeAbort(error));
      throw error;
    }
    link.peer = hello.rank;
    if (rank !== 0) await link.send(header(this.#options, 'welcome'), json({ addresses: [] }));
    this.links.set(hello.rank, link);
    this.#addresses.set(hello.rank, hello.address);
    this.#arrived();
  }
}

async function gather(options: RendezvousOptions, door: Door): Promise<void> {
  try {
    await door.listen(options.address);
  } catch (error) {
    throw listenError(options.address, error);
  }
  await door.everyone(1);
  const welcome = json({ addresses: door.addressesByRank() });
  await Promise.all([...door.links.values()].map((link) => link.send(header(options, 'welcome'), welcome)));
}

async function join(options: RendezvousOptions, door: Door, signal: AbortSignal): Promise<void> {
  const isLast = options.rank === options.worldSize - 1;
  const own = isLast ? undefined : await door.listen(ownAddress(options));
  const { addresses } = await introduce(options, door, 0, options.address, own, signal);
  for (let rank = 1; rank < options.rank; rank++) {
    await introduce(options, door, rank, parseAddress(addresses[rank] ?? ''), undefined, signal);
  }
  await door.everyone(options.rank + 1);
}

async function introduce(
  options: RendezvousOptions,
  door: Door,
  rank: number,
  address: RankAddress,
  own: RankAddress | undefined,
  signal: AbortSignal,
): Promise<z.infer<typeof Welcome>> {
  const link = new PeerLink(await connectWithPatience(address, signal), rank);
  door.links.set(rank, link);
  const { worldSize, token } = options;
  const hello = { rank: options.rank, worldSize, token, address: own === undefined ? '' : formatAddress(own) };
  await link.send(header(options, 'hello'), json(hello));
  const answer = await link.receive();
  const welcome = answer.operation === 'welcome' ? readJson(Welcome, answer.payload) : undefined;
  if (welcome === undefined) {
    throw new EngineError('distributed.refused', `What answers at ${formatAddress(address)} is not rank ${rank}.`, {
      rank,
    });
  }
  return welcome;
}

/** Rank 0 may still be starting: a refused connection is tried again until the signal ends it. */
async function connectWithPatience(address: RankAddress, signal: AbortSignal): Promise<Socket> {
  for (let waitMs = 10; ; waitMs = Math.min(waitMs * 2, 200)) {
    const socket = address.kind === 'path' ? createConnection(address.path) : createConnection(address);
    const error = await new Promise<Error | undefined>((resolve) => {
      socket.once('connect', () => resolve(undefined));
      socket.once('error', resolve);
    });
    if (error === undefined) return socket;
    socket.destroy();
    await sleep(waitMs, undefined, { signal });
  }
}

function ownAddress({ address, rank }: RendezvousOptions): RankAddress {
  return address.kind === 'tcp' ? { ...address, port: 0 } : { kind: 'path', path: `${address.path}.${rank}` };
}

function helloProblem(hello: z.infer<typeof Hello>, worldSize: number, isTaken: boolean): string | undefined {
  if (hello.worldSize !== worldSize) {
    return `Rank ${hello.rank} was started for ${hello.worldSize} processes, but this run has ${worldSize}.`;
  }
  if (hello.rank < 0 || hello.rank >= worldSize)
    return `There is no rank ${hello.rank} in a run of ${worldSize} processes.`;
  return isTaken ? `Two processes joined as rank ${hello.rank}.` : undefined;
}

function listenError(address: RankAddress, error: unknown): EngineError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const where = formatAddress(address);
  if (code === 'EADDRINUSE' && address.kind === 'tcp') {
    return new EngineError(
      'distributed.port-taken',
      `Port ${address.port} on ${address.host} is taken by another program, so the processes of this run cannot meet there. Choose another main_process_port, or leave it out to have a free one chosen.`,
      { port: address.port, host: address.host },
      { cause: error },
    );
  }
  const why = error instanceof Error ? error.message : String(error);
  return new EngineError(
    'distributed.listen-failed',
    `Rank 0 cannot listen at ${where}: ${why}.`,
    { address: where },
    { cause: error },
  );
}

function joinTimeout(options: RendezvousOptions, door: Door): EngineError {
  const missing = options.rank === 0 ? door.missing(1) : door.missing(0);
  const names = missing.map((rank) => `rank ${rank}`).join(', ');
  const seconds = options.joinTimeoutMs / 1000;
  return new EngineError(
    'distributed.join-timeout',
    `Rank ${options.rank} waited ${seconds} s at ${formatAddress(options.address)}, but ${names || 'the others'} did not join. Their logs (logs/rank*.log) say why.`,
    { missing },
  );
}

function header(options: RendezvousOptions, operation: FrameOperation): FrameHeader {
  return { operation, rank: options.rank, sequence: 0, part: 0, count: 0 };
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function readJson<T>(schema: z.ZodType<T>, bytes: Uint8Array): T | undefined {
  try {
    return schema.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
