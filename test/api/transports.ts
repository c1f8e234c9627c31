import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { createClient } from '../../engine/api/client.ts';
import { MessageConnection } from '../../engine/api/connection.ts';
import { contract, type EngineHandlers, type ProcedureName } from '../../engine/api/contract.ts';
import { EngineError } from '../../engine/api/errors.ts';
import type { EngineEvent } from '../../engine/api/events.ts';
import { bindHandlers } from '../../engine/api/handlers.ts';
import { decodeWire, encodeWire } from '../../engine/api/wire.ts';
import { Emitter } from '../../engine/base/event.ts';
import { type ConnectedClient, connectLocally } from '../../engine/transport/localTransport.ts';
import { type LoopbackServer, serveLoopback } from '../../engine/transport/loopbackServer.ts';
import type { ServedEngine } from '../../engine/transport/session.ts';

/** An engine whose handlers a test gives; every other one refuses. */
export function fakeEngine(
  handlers: Partial<EngineHandlers> = {},
): ServedEngine & { readonly events: Emitter<EngineEvent> } {
  const refusing = (Object.keys(contract) as ProcedureName[]).map((name) => [
    name,
    () => {
      throw new EngineError('test.not-given', name);
    },
  ]);
  const events = new Emitter<EngineEvent>();
  const api = bindHandlers({ ...Object.fromEntries(refusing), ...handlers });
  return { api, onEvent: events.event, events };
}

/** A loopback server on a free port with a page to serve; ended after the test. */
export async function startServer(engine: ServedEngine, port: number | undefined = 0): Promise<LoopbackServer> {
  const rendererDir = mkdtempSync(join(tmpdir(), 'accelhydra-pages-'));
  onTestFinished(() => rmSync(rendererDir, { recursive: true, force: true }));
  writeFileSync(join(rendererDir, 'index.html'), '<title>the app</title>');
  writeFileSync(join(rendererDir, 'app.js'), 'export {};');
  const server = await serveLoopback(engine, { port, rendererDir, checkOutputs: true });
  onTestFinished(() => server.dispose());
  return server;
}

/** Opens a link as a browser does and gives the session cookie. */
export async function openLink(link: string): Promise<string> {
  const response = await fetch(link, { redirect: 'manual' });
  return response.headers.get('set-cookie')?.split(';')[0] ?? '';
}

export function openSocket(port: number, headers: Readonly<Record<string, string>>): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, {
    headers: { Origin: `http://127.0.0.1:${port}`, ...headers },
  });
  onTestFinished(() => socket.terminate());
  return socket;
}

/** A connection whose end is the socket's end, as when a page is closed. */
class SocketConnection extends MessageConnection {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
  }

  override dispose(): void {
    super.dispose();
    this.#socket.close();
  }
}

export interface Transport {
  readonly id: string;
  readonly connect: (engine: ServedEngine) => Promise<ConnectedClient>;
}

export const transports: readonly Transport[] = [
  {
    id: 'local',
    connect: (engine) => {
      const client = connectLocally(engine, { checkOutputs: true });
      onTestFinished(() => client.connection.dispose());
      return Promise.resolve(client);
    },
  },
  {
    id: 'websocket',
    connect: async (engine) => {
      const server = await startServer(engine);
      const socket = openSocket(server.port, { Cookie: await openLink(server.createLink()) });
      const connection = new SocketConnection(socket);
      socket.on('message', (data) => connection.receive(decodeWire(String(data))));
      socket.on('close', () => connection.detach(false));
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
      connection.attach({ send: (message) => socket.send(encodeWire(message)) });
      return { api: createClient(connection), connection };
    },
  },
];
