import type { DesktopBridge } from '../../electron/shared/bridge.ts';
import { createClient } from '../../engine/api/client.ts';
import { MessageConnection } from '../../engine/api/connection.ts';
import { decodeWire, encodeWire } from '../../engine/api/wire.ts';

declare global {
  interface Window {
    readonly accelhydraDesktop?: DesktopBridge;
  }
}

const RETRY_FIRST_MS = 250;
const RETRY_MOST_MS = 5000;

export const desktop: DesktopBridge | undefined = typeof window === 'undefined' ? undefined : window.accelhydraDesktop;

export const connection = new MessageConnection();
export const api = createClient(connection);

/** Connects to whichever host serves this page: Electron's preload bridge, or the loopback server it came from. */
export function connect(): void {
  if (desktop) connectDesktop(desktop);
  else connectSocket(RETRY_FIRST_MS);
}

function connectDesktop(bridge: DesktopBridge): void {
  bridge.onMessage((text) => connection.receive(decodeWire(text)));
  connection.attach({ send: (message) => bridge.post(encodeWire(message)) });
}

function connectSocket(retryMs: number): void {
  const scheme = window.location.protocol === 'https:' ? 'wss' : 'ws';
  const socket = new WebSocket(`${scheme}://${window.location.host}/ws`);
  let opened = false;
  socket.addEventListener('open', () => {
    opened = true;
    connection.attach({ send: (message) => socket.send(encodeWire(message)) });
  });
  socket.addEventListener('message', (event: MessageEvent<string>) => connection.receive(decodeWire(event.data)));
  socket.addEventListener('close', () => {
    connection.detach(true);
    const next = opened ? RETRY_FIRST_MS : Math.min(retryMs * 2, RETRY_MOST_MS);
    setTimeout(() => connectSocket(next), retryMs);
  });
}
