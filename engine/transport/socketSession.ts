import { type RawData, WebSocket } from 'ws';
import { decodeWire, encodeWire, type WireMessage } from '../api/wire.ts';
import { EngineSession, type ServedEngine, type SessionOptions } from './session.ts';

const PING_EVERY_MS = 20_000;
/** A client that reads slower than events come gets no more of them until it has caught up; it asks for what it draws. */
const MOST_BUFFERED_BYTES = 8 * 1024 * 1024;

/** Serves the engine to one WebSocket until it closes. A message that is none ends the connection. */
export function serveSocket(engine: ServedEngine, socket: WebSocket, options: SessionOptions): void {
  const send = (message: WireMessage) => {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (message.type === 'event' && socket.bufferedAmount > MOST_BUFFERED_BYTES) return;
    socket.send(encodeWire(message));
  };
  const session = new EngineSession(engine, send, options);
  let answered = true;
  const pings = setInterval(() => {
    if (answered) socket.ping();
    else socket.terminate();
    answered = false;
  }, PING_EVERY_MS);
  socket.on('pong', () => {
    answered = true;
  });
  socket.on('message', (data, isBinary) => {
    const message = isBinary ? undefined : readMessage(data);
    if (message) session.receive(message);
    else socket.close(1003, 'Not a message of this protocol.');
  });
  // 'close' always follows an error, which is where everything ends.
  socket.on('error', () => socket.terminate());
  socket.on('close', () => {
    clearInterval(pings);
    session.dispose();
  });
}

function readMessage(data: RawData): WireMessage | undefined {
  try {
    return decodeWire(
      Array.isArray(data) ? Buffer.concat(data).toString('utf8') : Buffer.from(data as Buffer).toString('utf8'),
    );
  } catch {
    return undefined; // the caller closes the connection
  }
}
