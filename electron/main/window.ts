import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { app, BrowserWindow } from 'electron';
import { RENDERER_URL } from './security.ts';

/** The preload script as bundled by the build: a sandboxed preload must be one CommonJS file. */
const PRELOAD = fileURLToPath(new URL('../../dist/electron/preload.cjs', import.meta.url));

interface Bounds {
  readonly width: number;
  readonly height: number;
  readonly x?: number;
  readonly y?: number;
}

const DEFAULT_BOUNDS: Bounds = { width: 1360, height: 860 };

/** Opens the app's window where it was the last time, with no Node in reach of the page. */
export function openWindow(): BrowserWindow {
  const window = new BrowserWindow({
    ...readBounds(),
    minWidth: 420,
    minHeight: 480,
    show: false,
    title: 'AccelHydra Studio',
    webPreferences: {
      preload: PRELOAD,
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      webviewTag: false,
      spellcheck: false,
    },
  });
  window.once('ready-to-show', () => window.show());
  window.on('close', () => writeBounds(window.getNormalBounds()));
  void window.loadURL(RENDERER_URL);
  return window;
}

function boundsFile(): string {
  return join(app.getPath('userData'), 'window.json');
}

function readBounds(): Bounds {
  try {
    const value = JSON.parse(readFileSync(boundsFile(), 'utf8')) as Partial<Record<keyof Bounds, unknown>>;
    const { width, height, x, y } = value;
    if (typeof width !== 'number' || typeof height !== 'number') return DEFAULT_BOUNDS;
    return { width, height, ...(typeof x === 'number' && typeof y === 'number' ? { x, y } : {}) };
  } catch {
    return DEFAULT_BOUNDS; // the first start, or a file that a crash cut short: the default place is right for both
  }
}

function writeBounds(bounds: Bounds): void {
  try {
    writeFileSync(boundsFile(), JSON.stringify(bounds));
  } catch (error) {
    process.stderr.write(`The window's place was not saved: ${String(error)}\n`);
  }
}
