import { Emitter } from '../base/event.ts';
import type { ConnectionState, EngineConnection } from './client.ts';
import type { ProcedureName } from './contract.ts';
import { deserializeError, EngineError } from './errors.ts';
import type { EngineEvent } from './events.ts';
import type { WireMessage } from './wire.ts';

/** The two things a transport gives; ids, cancelling, errors and events live above it in `MessageConnection`. */
export interface MessagePort {
  send(message: WireMessage): void;
}

interface PendingCall {
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly message: WireMessage;
  readonly stopListening: () => void;
}

/**
 * Calls over any message port. While the port is away calls wait; when it stays away they fail with
 * `connection.closed`. A call in flight when the port breaks fails with `connection.lost`: whether it ran is unknown.
 */
export class MessageConnection implements EngineConnection {
  readonly #events = new Emitter<EngineEvent>();
  readonly #states = new Emitter<ConnectionState>();
  readonly #pending = new Map<number, PendingCall>();
  readonly #waiting: number[] = [];
  #port: MessagePort | undefined;
  #state: ConnectionState = 'connecting';
  #nextId = 1;

  readonly onEvent = this.#events.event;
  readonly onDidChangeState = this.#states.event;

  get state(): ConnectionState {
    return this.#state;
  }

  /** The port is up: sends what waited. */
  attach(port: MessagePort): void {
    this.#port = port;
    this.#setState('connected');
    for (const id of this.#waiting.splice(0)) {
      const call = this.#pending.get(id);
      if (call) port.send(call.message);
    }
  }

  /** The port broke. `willRetry` says whether another one will be attached. */
  detach(willRetry: boolean): void {
    this.#port = undefined;
    this.#setState(willRetry ? 'reconnecting' : 'closed');
    for (const [id, call] of [...this.#pending]) {
      if (willRetry && this.#waiting.includes(id)) continue;
      this.#settle(id)?.reject(
        willRetry
          ? new EngineError('connection.lost', 'The connection to the engine broke during this call. Try again.')
          : new EngineError('connection.closed', 'The engine is gone. Start the app again to go on.'),
      );
      call.stopListening();
    }
  }

  /** To be called by the transport with every message it receives. */
  receive(message: WireMessage): void {
    switch (message.type) {
      case 'result':
        this.#settle(message.id)?.resolve(message.output);
        return;
      case 'error':
        this.#settle(message.id)?.reject(deserializeError(message.error));
        return;
      case 'event':
        this.#events.fire(message.event);
        return;
      case 'call':
      case 'cancel':
        return; // only an engine answers calls
    }
  }

  call(name: ProcedureName, input: unknown, signal?: AbortSignal): Promise<unknown> {
    if (this.#state === 'closed') {
      return Promise.reject(new EngineError('connection.closed', 'The engine is gone. Start the app again to go on.'));
    }
    const id = this.#nextId++;
    const message: WireMessage = { type: 'call', id, name, input };
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#port?.send({ type: 'cancel', id });
        this.#settle(id)?.reject(new EngineError('cancelled', `'${name}' was cancelled.`));
      };
      if (signal?.aborted) {
        reject(new EngineError('cancelled', `'${name}' was cancelled.`));
        return;
      }
      signal?.addEventListener('abort', onAbort, { once: true });
      const stopListening = () => signal?.removeEventListener('abort', onAbort);
      this.#pending.set(id, { resolve, reject, message, stopListening });
      if (this.#port) this.#port.send(message);
      else this.#waiting.push(id);
    });
  }

  dispose(): void {
    this.detach(false);
    this.#events.dispose();
    this.#states.dispose();
  }

  #settle(id: number): PendingCall | undefined {
    const call = this.#pending.get(id);
    if (!call) return undefined; // cancelled meanwhile
    this.#pending.delete(id);
    const waiting = this.#waiting.indexOf(id);
    if (waiting >= 0) this.#waiting.splice(waiting, 1);
    call.stopListening();
    return call;
  }

  #setState(state: ConnectionState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#states.fire(state);
  }
}
