import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import sirv from 'sirv';
import { WebSocketServer } from 'ws';
import { EngineError } from '../api/errors.ts';
import type { Disposable } from '../base/disposable.ts';
import { AccessControl, type Verdict } from './accessControl.ts';
import { contentSecurityPolicy } from './contentSecurityPolicy.ts';
import type { ServedEngine, SessionOptions } from './session.ts';
import { serveSocket } from './socketSession.ts';

export interface LoopbackOptions extends SessionOptions {
  /** Exactly this port, or an error; without one the first free port from 4170 on. 0: any free port. */
  readonly port?: number | undefined;
  /** Folder of the built renderer. */
  readonly rendererDir: string;
}

export interface LoopbackServer extends Disposable {
  readonly port: number;
  /** A fresh link that opens the app once; everything after goes by cookie. */
  createLink(): string;
}

const HOST = '127.0.0.1';
const FIRST_PORT = 4170;
const PORTS_TRIED = 50;

const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': contentSecurityPolicy("'self'"),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/**
 * Serves the renderer and the engine on this machine's loopback interface. Pages and the WebSocket at `/ws` need the
 * session that a link from `createLink` opens. Throws `serve.port-taken` and `serve.port-forbidden`.
 */
export async function serveLoopback(engine: ServedEngine, options: LoopbackOptions): Promise<LoopbackServer> {
  const access = new AccessControl();
  const files = staticFiles(options.rendererDir);
  const server = createServer((request, response) => respond(request, response, access, files));
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 64 * 1024 * 1024 });
  server.on('upgrade', (request, socket, head) => {
    const verdict = pathOf(request) === '/ws' ? access.judgeSession(request) : 'no-session';
    // A browser always says where a socket comes from; a request without an origin is no page of ours.
    if (verdict === 'allowed' && request.headers.origin !== undefined) {
      sockets.handleUpgrade(request, socket, head, (client) => serveSocket(engine, client, options));
    } else {
      refuseUpgrade(socket, verdict);
    }
  });
  const port = await listen(server, options.port);
  access.bindToPort(port);
  return {
    port,
    createLink: () => `http://${HOST}:${port}/?token=${access.issueToken()}`,
    dispose: async () => {
      for (const client of sockets.clients) client.close(1001, 'The engine is ending.');
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      for (const client of sockets.clients) client.terminate();
      sockets.close();
      await closed;
    },
  };
}

type Responder = (request: IncomingMessage, response: ServerResponse) => void;

function respond(request: IncomingMessage, response: ServerResponse, access: AccessControl, files: Responder): void {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
  const address = access.judgeAddress(request);
  const url = new URL(request.url ?? '/', 'http://localhost');
  const token = url.searchParams.get('token');
  if (address !== 'allowed') answer(response, 403, explain(address));
  else if (request.method !== 'GET' && request.method !== 'HEAD')
    answer(response, 405, 'Only reading is possible here.');
  else if (token !== null) openSession(request, response, access, url, token);
  else if (access.judgeSession(request) === 'allowed') files(request, response);
  else answer(response, 401, explain('no-session'));
}

function openSession(
  request: IncomingMessage,
  response: ServerResponse,
  access: AccessControl,
  url: URL,
  token: string,
): void {
  if (access.judgeSession(request) !== 'allowed') {
    const cookie = access.redeem(token);
    if (cookie === undefined) {
      answer(response, 401, explain('no-session'));
      return;
    }
    response.setHeader('Set-Cookie', cookie);
  }
  // The token must not stay in the address bar or the history. One slash: `//host` would lead to another host.
  url.searchParams.delete('token');
  response.setHeader('Location', `${url.pathname.replace(/^\/+/, '/')}${url.search}`);
  answer(response, 303, '');
}

function staticFiles(folder: string): Responder {
  if (!existsSync(join(folder, 'index.html'))) {
    return (_request, response) =>
      answer(response, 503, "The app's pages are not built yet. Run 'npm run build', then load this page again.");
  }
  // `dev` reads the folder on every request, so that a new build shows without a restart.
  const serve = sirv(folder, { single: true, dev: true, etag: true });
  return (request, response) => serve(request, response, () => answer(response, 404, 'There is no such page.'));
}

async function listen(server: Server, wanted: number | undefined): Promise<number> {
  const candidates =
    wanted === undefined ? Array.from({ length: PORTS_TRIED }, (_, index) => FIRST_PORT + index) : [wanted];
  for (const port of candidates) {
    const problem = await tryListen(server, port);
    if (problem === undefined) return (server.address() as AddressInfo).port;
    if (problem === 'EACCES') {
      throw new EngineError(
        'serve.port-forbidden',
        `Port ${port} may not be used by this user. Choose one above 1023.`,
        { port },
      );
    }
    if (problem !== 'EADDRINUSE')
      throw new EngineError('serve.failed', `The server cannot start on port ${port} (${problem}).`, { port });
  }
  const which =
    wanted === undefined ? `The ports ${FIRST_PORT} to ${FIRST_PORT + PORTS_TRIED - 1} are` : `Port ${wanted} is`;
  throw new EngineError(
    'serve.port-taken',
    `${which} taken by another program. Name a free one with --port, or leave --port out to have one found.`,
    { port: wanted ?? FIRST_PORT },
  );
}

/** Tries one port; gives the error's code when it did not work. */
function tryListen(server: Server, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const onError = (error: NodeJS.ErrnoException) => {
      server.off('listening', onListening);
      resolve(error.code ?? error.message);
    };
    const onListening = () => {
      server.off('error', onError);
      resolve(undefined);
    };
    server.once('error', onError);
    server.once('listening', onListening);
    server.listen(port, HOST);
  });
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' });
  response.end(text);
}

function refuseUpgrade(socket: Duplex, verdict: Verdict): void {
  const status = verdict === 'no-session' ? '401 Unauthorized' : '403 Forbidden';
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function explain(verdict: Verdict): string {
  return verdict === 'no-session'
    ? 'This page opens with the link that the program printed, once per link. Press Enter there for a fresh link.'
    : 'This address is not served: open the app by the link that the program printed.';
}

function pathOf(request: IncomingMessage): string {
  return new URL(request.url ?? '/', 'http://localhost').pathname;
}
