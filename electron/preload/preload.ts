import { contextBridge, type IpcRendererEvent, ipcRenderer } from 'electron';
import { BRIDGE_KEY, channels, type DesktopBridge } from '../shared/bridge.ts';

/** The page gets texts in and out and three things only a desktop can do; never `ipcRenderer` itself. */
const bridge: DesktopBridge = {
  platform: process.platform,
  post: (text) => ipcRenderer.send(channels.toEngine, text),
  onMessage: (listener) => listen(channels.fromEngine, listener),
  pickFolder: () => ipcRenderer.invoke(channels.pickFolder),
  showItemInFolder: (path) => ipcRenderer.send(channels.showItemInFolder, path),
  onMenuCommand: (listener) => listen(channels.menuCommand, listener),
};

function listen(channel: string, listener: (text: string) => void): () => void {
  // the event object would give the page a way back to ipcRenderer: only the text goes through
  const onMessage = (_event: IpcRendererEvent, text: string) => listener(text);
  ipcRenderer.on(channel, onMessage);
  return () => void ipcRenderer.removeListener(channel, onMessage);
}

contextBridge.exposeInMainWorld(BRIDGE_KEY, Object.freeze(bridge));
