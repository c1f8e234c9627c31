import { contract, type EngineApi } from '../api/contract.ts';
import { serializeError } from '../api/errors.ts';
import type { EngineEvent } from '../api/events.ts';
import { procedureNamed } from '../api/handlers.ts';
import type { WireMessage } from '../api/wire.ts';
import type { Disposable } from '../base/disposable.ts';
import type { Event } from '../base/event.ts';

/** What a transport serves. */
export interface ServedEngine {
  readonly api: EngineApi;
  readonly onEvent: Event<EngineEvent>;
}

export interface SessionOptions {
  /** Also check what handlers give: for tests, because it costs time on every call. */
  readonly checkOutputs?: boolean | undefined;
}

/**
 * One client's side at the engine: answers its calls, passes events on, and cancels what still runs when it leaves.
 * The API validates the inputs; everything thrown becomes an error message with a code.
 */
export class EngineSession implements Disposable {
  readonly #engine: ServedEngine;
  readonly #send: (message: WireMessage) => void;
  readonly #checkOutputs: boolean;
  readonly #running = new Map<number, AbortController>();
  readonly #subscription: Disposable;
  #open = true;

  constructor(engine: ServedEngine, send: (message: WireMessage) => void, options: SessionOptions = {}) {
    this.#engine = engine;
    this.#send = send;
    this.#checkOutputs = options.checkOutputs ?? false;
    this.#subscription = engine.onEvent((event) => this.#post({ type: 'event', event }));
  }

  /** To be called with every message of the client. */
  receive(message: WireMessage): void {
    switch (message.type) {
      case 'call':
        void this.#answer(message.id, message.name, message.input);
        return;
      case 'cancel':
        this.#running.get(message.id)?.abort();
        return;
      case 'result':
      case 'error':
      case 'event':
        return; // only an engine sends these
    }
  }

  dispose(): void {
    this.#open = false;
    this.#subscription.dispose();
    for (const controller of this.#running.values()) controller.abort();
    this.#running.clear();
  }

  async #answer(id: number, name: string, input: unknown): Promise<void> {
    const controller = new AbortController();
    this.#running.set(id, controller);
    try {
      const procedure = procedureNamed(name);
      const call = this.#engine.api[procedure] as (input: unknown, signal: AbortSignal) => Promise<unknown>;
      const output = await call(input, controller.signal);
      if (this.#checkOutputs) contract[procedure].output.parse(output);
      this.#post({ type: 'result', id, output });
    } catch (error) {
      this.#post({ type: 'error', id, error: serializeError(error) });
    } finally {
      this.#running.delete(id);
    }
  }

  #post(message: WireMessage): void {
    if (this.#open) this.#send(message);
  }
}
