import { createServer, type Server, type Socket } from 'node:net';
import { serializeError } from '../api/errors.ts';
import type { LauncherEvent, LauncherStatus } from '../api/launch.ts';
import type { Disposable } from '../base/disposable.ts';
import { chooseControlAddress } from './controlAddress.ts';
import { type ControlCommand, type ControlMessage, ControlRequest, encodeLine, LineReader } from './controlProtocol.ts';

/** A subscriber that has this much unread is let go; it attaches again when it can follow. */
const mostUnreadBytes = 4 * 1024 * 1024;

/** Answers commands at the run's control socket and tells subscribers what happens. */
export class ControlServer implements Disposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #subscribers = new Set<Socket>();
  readonly #answer: (command: ControlCommand) => LauncherStatus;
  readonly #remove: () => void;

  private constructor(server: Server, remove: () => void, answer: (command: ControlCommand) => LauncherStatus) {
    this.#server = server;
    this.#remove = remove;
    this.#answer = answer;
    server.on('connection', (socket) => this.#serve(socket));
  }

  /** Listens for the run in `runDir`; `answer` does what a command says and returns the state after it. */
  static async open(runDir: string, answer: (command: ControlCommand) => LauncherStatus): Promise<ControlServer> {
    const address = chooseControlAddress(runDir);
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      // only this user may connect, from the first moment on
      const usual = process.umask(0o177);
      server.listen(address.path, resolve);
      process.umask(usual);
    });
    return new ControlServer(server, address.remove, answer);
  }

  publish(event: LauncherEvent): void {
    for (const socket of this.#subscribers) {
      if (socket.writableLength > mostUnreadBytes) socket.destroy();
      else socket.write(encodeLine({ event }));
    }
  }

  /** Sends what is written, then closes every connection; waits at most a second for slow readers. */
  async dispose(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.end();
    const timer = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, 1000);
    await closed;
    clearTimeout(timer);
    this.#remove();
  }

  #serve(socket: Socket): void {
    const reader = new LineReader();
    this.#sockets.add(socket);
    socket.setEncoding('utf8');
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#subscribers.delete(socket);
    });
    socket.on('data', (chunk: string) => {
      try {
        reader.push(chunk, (message) => this.#onMessage(socket, message));
      } catch {
        socket.destroy(); // not a client of ours
      }
    });
  }

  #onMessage(socket: Socket, message: unknown): void {
    const request = ControlRequest.safeParse(message).data;
    if (request === undefined) {
      const error = { code: 'launch.control-invalid', message: 'The launcher does not know this command.' };
      socket.write(encodeLine({ id: idOf(message), error }));
      return;
    }
    if (request.command === 'subscribe') this.#subscribers.add(socket);
    socket.write(encodeLine(this.#reply(request)));
  }

  #reply(request: ControlRequest): ControlMessage {
    try {
      return { id: request.id, status: this.#answer(request.command) };
    } catch (error) {
      const { code, message } = serializeError(error);
      return { id: request.id, error: { code, message } };
    }
  }
}

function idOf(message: unknown): number {
  const id = typeof message === 'object' && message !== null && 'id' in message ? message.id : undefined;
  return Number.isInteger(id) ? Number(id) : 0;
}
