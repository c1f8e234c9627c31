/**
 * The one frozen object that the preload script puts on `window`. Texts are wire messages (engine/api/wire.ts); the rest
 * is what only a desktop host can do.
 */
export interface DesktopBridge {
  readonly platform: string;
  post(text: string): void;
  /** Registers the receiver of wire texts; returns what removes it. */
  onMessage(listener: (text: string) => void): () => void;
  /** A folder that the person picked, or undefined. */
  pickFolder(): Promise<string | undefined>;
  showItemInFolder(path: string): void;
  /** Menu commands such as `navigate:runs` or `compose:undo`; returns what removes the listener. */
  onMenuCommand(listener: (command: string) => void): () => void;
}

/** Channel names between preload and main, in one place so that both agree. */
export const channels = {
  toEngine: 'engine:post',
  fromEngine: 'engine:message',
  pickFolder: 'desktop:pick-folder',
  showItemInFolder: 'desktop:show-item',
  menuCommand: 'desktop:menu-command',
} as const;

export const BRIDGE_KEY = 'accelhydraDesktop';
