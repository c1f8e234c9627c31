import { resolve } from 'node:path';
import { type BrowserWindow, dialog, ipcMain, shell, type WebContents } from 'electron';
import { decodeWire, encodeWire } from '../../engine/api/wire.ts';
import type { Disposable } from '../../engine/base/disposable.ts';
import { createEngine } from '../../engine/service/index.ts';
import { EngineSession } from '../../engine/transport/session.ts';
import { channels } from '../shared/bridge.ts';
import { isRendererUrl } from './security.ts';

/** The engine inside Electron's main process, and a session for each window. */
export interface EngineHost extends Disposable {
  attach(window: BrowserWindow): void;
}

/** Builds the engine. The only file of the desktop app that knows how: everything else speaks the contract. */
export async function startEngineHost(projectDir: string): Promise<EngineHost> {
  const engine = await createEngine({ projectDir });
  const sessions = new Map<WebContents, EngineSession>();
  ipcMain.on(channels.toEngine, (event, text: unknown) => {
    // only the app's own page may speak, and only in texts: anything else is not ours
    if (typeof text !== 'string' || !isRendererUrl(event.senderFrame?.url ?? '')) return;
    sessions.get(event.sender)?.receive(decodeWire(text));
  });
  ipcMain.handle(channels.pickFolder, async () => {
    const picked = await dialog.showOpenDialog({ properties: ['openDirectory', 'createDirectory'] });
    return picked.canceled ? undefined : picked.filePaths[0];
  });
  ipcMain.on(channels.showItemInFolder, (event, path: unknown) => {
    if (typeof path === 'string' && isRendererUrl(event.senderFrame?.url ?? '')) shell.showItemInFolder(path);
  });
  return {
    attach: (window) => {
      const contents = window.webContents;
      const renew = () => {
        sessions.get(contents)?.dispose();
        const session = new EngineSession(engine, (message) => {
          if (!contents.isDestroyed()) contents.send(channels.fromEngine, encodeWire(message));
        });
        sessions.set(contents, session);
      };
      // a reload is a new client: what the old page still waited for is cancelled
      contents.on('did-start-navigation', (details) => {
        if (details.isMainFrame && !details.isSameDocument) renew();
      });
      renew();
      window.on('closed', () => {
        sessions.get(contents)?.dispose();
        sessions.delete(contents);
      });
    },
    dispose: async () => {
      for (const session of sessions.values()) session.dispose();
      sessions.clear();
      await engine.dispose();
    },
  };
}

/** `--project DIR` of the command line, or the folder that the app was started in. */
export function projectFolder(argv: readonly string[]): string {
  const index = argv.indexOf('--project');
  return resolve((index >= 0 ? argv[index + 1] : undefined) ?? process.cwd());
}
