import { createConnection, type Socket } from 'node:net';
import { EngineError } from '../api/errors.ts';
import type { LauncherEvent, LauncherStatus } from '../api/launch.ts';
import type { Disposable } from '../base/disposable.ts';
import { Emitter, type Event } from '../base/event.ts';
import { findControlAddress } from './controlAddress.ts';
import { type ControlCommand, ControlMessage, encodeLine, LineReader } from './controlProtocol.ts';

/** A line to the launcher of a running run. Disposing it leaves the run alone. */
export interface RunHandle extends Disposable {
  readonly runDir: string;
  readonly onEvent: Event<LauncherEvent>;
  /** The launcher closed the line: after an `ended` event it is over, without one the launcher crashed. */
  readonly onDidClose: Event<void>;
  status(): Promise<LauncherStatus>;
  /** Events are sent from now on; resolves with the state before the first of them. */
  subscribe(): Promise<LauncherStatus>;
  /** Asks the training to save and end. Resolves when the launcher has heard it. */
  stop(): Promise<LauncherStatus>;
  /** Ends the training at once. Resolves when the launcher has heard it. */
  kill(): Promise<LauncherStatus>;
}

/** Connects to the launcher of the run in `runDir`. Throws `launch.not-running` when nobody answers there. */
export async function attachRun(runDir: string): Promise<RunHandle> {
  const socket = createConnection(findControlAddress(runDir));
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (error) => reject(notRunning(runDir, error)));
  });
  return new SocketHandle(runDir, socket);
}

interface Pending {
  readonly resolve: (status: LauncherStatus) => void;
  readonly reject: (error: EngineError) => void;
}

class SocketHandle implements RunHandle {
  readonly runDir: string;
  readonly #socket: Socket;
  readonly #events = new Emitter<LauncherEvent>();
  readonly #closed = new Emitter<void>();
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #open = true;

  readonly onEvent = this.#events.event;
  readonly onDidClose = this.#closed.event;

  constructor(runDir: string, socket: Socket) {
    this.runDir = runDir;
    this.#socket = socket;
    const reader = new LineReader();
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => reader.push(chunk, (message) => this.#onMessage(message)));
    // an error is followed by close, which says all that callers need
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#onClose());
  }

  status(): Promise<LauncherStatus> {
    return this.#ask('status');
  }

  subscribe(): Promise<LauncherStatus> {
    return this.#ask('subscribe');
  }

  stop(): Promise<LauncherStatus> {
    return this.#ask('stop');
  }

  kill(): Promise<LauncherStatus> {
    return this.#ask('kill');
  }

  dispose(): void {
    this.#events.dispose();
    this.#closed.dispose();
    this.#socket.destroy();
  }

  #ask(command: ControlCommand): Promise<LauncherStatus> {
    if (!this.#open) return Promise.reject(notRunning(this.runDir));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#socket.write(encodeLine({ id, command }));
    });
  }

  #onMessage(raw: unknown): void {
    const message = ControlMessage.safeParse(raw).data;
    if (message === undefined) return; // a newer launcher may say more than we know
    if ('event' in message) {
      this.#events.fire(message.event);
      return;
    }
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if ('status' in message) pending?.resolve(message.status);
    else pending?.reject(new EngineError(message.error.code, message.error.message));
  }

  #onClose(): void {
    this.#open = false;
    for (const pending of this.#pending.values()) pending.reject(notRunning(this.runDir));
    this.#pending.clear();
    this.#closed.fire();
  }
}

function notRunning(runDir: string, cause?: unknown): EngineError {
  return new EngineError(
    'launch.not-running',
    `No launcher answers for the run in ${runDir}: it has ended, or its launcher crashed.`,
    { runDir },
    { cause },
  );
}
