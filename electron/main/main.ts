import { app, BrowserWindow } from 'electron';
import { toEngineError } from '../../engine/api/errors.ts';
import { projectFolder, startEngineHost } from './engineEntry.ts';
import { showFailure } from './failure.ts';
import { installMenu } from './menu.ts';
import { hardenApp, serveRenderer } from './security.ts';
import { openWindow } from './window.ts';

/**
 * What this host adds to the engine: windows, a menu, and a message channel per window. Trainings belong to their own
 * launcher processes, so closing the last window never ends one.
 */
async function start(): Promise<void> {
  if (!app.requestSingleInstanceLock()) {
    app.quit(); // the first instance shows its window instead
    return;
  }
  hardenApp();
  await app.whenReady();
  serveRenderer();
  const host = await startEngineHost(projectFolder(process.argv));
  const open = () => host.attach(openWindow());
  installMenu();
  open();
  app.on('second-instance', () => {
    const [window] = BrowserWindow.getAllWindows();
    if (!window) open();
    else if (window.isMinimized()) window.restore();
    window?.focus();
  });
  app.on('activate', () => {
    if (BrowserWindow.getAllWindows().length === 0) open();
  });
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  let disposed = false;
  app.on('before-quit', (event) => {
    if (disposed) return;
    event.preventDefault(); // quit again once the database is closed
    disposed = true;
    void Promise.resolve(host.dispose()).finally(() => app.quit());
  });
}

start().catch((error: unknown) => {
  showFailure(toEngineError(error));
  app.exit(1);
});
