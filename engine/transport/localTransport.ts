import { createClient, type EngineConnection } from '../api/client.ts';
import { MessageConnection } from '../api/connection.ts';
import type { EngineApi } from '../api/contract.ts';
import { decodeWire, encodeWire, type WireMessage } from '../api/wire.ts';
import { EngineSession, type ServedEngine, type SessionOptions } from './session.ts';

/** A client and what ends it. */
export interface ConnectedClient {
  readonly api: EngineApi;
  readonly connection: EngineConnection;
}

/**
 * A client in the engine's own process. Messages are written and read as on every other transport, so that nothing works
 * here that would fail over a socket, and neither side can change the other's objects.
 */
export function connectLocally(engine: ServedEngine, options: SessionOptions = {}): ConnectedClient {
  const client = new MessageConnection();
  const deliver = (message: WireMessage, to: (message: WireMessage) => void) => {
    const text = encodeWire(message);
    queueMicrotask(() => to(decodeWire(text)));
  };
  const session = new EngineSession(engine, (message) => deliver(message, (copy) => client.receive(copy)), options);
  client.attach({ send: (message) => deliver(message, (copy) => session.receive(copy)) });
  const connection: EngineConnection = {
    call: (name, input, signal) => client.call(name, input, signal),
    onEvent: client.onEvent,
    onDidChangeState: client.onDidChangeState,
    get state() {
      return client.state;
    },
    dispose: () => {
      session.dispose();
      client.dispose();
    },
  };
  return { api: createClient(connection), connection };
}
