/**
 * TEST ONLY: a small stand-in for the parts of the `electron` module that electron/main uses, for machines on which
 * Electron's binary cannot be had. It draws nothing. It records what the app asks for and lets the test, over the
 * process channel, act as the page and as the person.
 */
import { EventEmitter } from 'node:events';

export type FromApp =
  | { readonly type: 'window'; readonly options: Record<string, unknown>; readonly url: string }
  | { readonly type: 'to-page'; readonly channel: string; readonly text: string }
  | { readonly type: 'menu'; readonly items: readonly MenuItem[] }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'quit'; readonly code: number };

export type ToApp =
  | { readonly type: 'from-page'; readonly channel: string; readonly text: string; readonly url: string }
  | { readonly type: 'navigate'; readonly id: number; readonly url: string }
  | { readonly type: 'open-window'; readonly id: number; readonly url: string }
  | { readonly type: 'permission'; readonly id: number; readonly permission: string }
  | { readonly type: 'fetch'; readonly id: number; readonly url: string }
  | { readonly type: 'reload' }
  | { readonly type: 'click-menu'; readonly label: string }
  | { readonly type: 'close-window' };

interface MenuItem {
  readonly label?: string;
  readonly role?: string;
  readonly accelerator?: string;
  readonly submenu?: readonly MenuItem[];
  readonly click?: () => void;
}

const tell = (message: FromApp) => process.send?.(message);

class WebContents extends EventEmitter {
  #windowOpenHandler: (details: { url: string }) => { action: string } = () => ({ action: 'allow' });
  send(channel: string, text: string): void {
    tell({ type: 'to-page', channel, text });
  }
  isDestroyed(): boolean {
    return false;
  }
  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }): void {
    this.#windowOpenHandler = handler;
  }
  openWindow(url: string): string {
    return this.#windowOpenHandler({ url }).action;
  }
}

export class BrowserWindow extends EventEmitter {
  static readonly #all: BrowserWindow[] = [];
  readonly webContents = new WebContents();
  readonly #options: Record<string, unknown>;

  constructor(options: Record<string, unknown>) {
    super();
    this.#options = options;
    BrowserWindow.#all.push(this);
    app.emit('web-contents-created', {}, this.webContents);
  }
  static getAllWindows(): BrowserWindow[] {
    return [...BrowserWindow.#all];
  }
  static getFocusedWindow(): BrowserWindow | undefined {
    return BrowserWindow.#all[0];
  }
  async loadURL(url: string): Promise<void> {
    tell({ type: 'window', options: this.#options, url });
    this.emit('ready-to-show');
  }
  show(): void {
    this.emit('show');
  }
  isMinimized(): boolean {
    return false;
  }
  restore(): void {
    this.emit('restore');
  }
  focus(): void {
    this.emit('focus');
  }
  getNormalBounds() {
    return { x: 10, y: 20, width: 1200, height: 800 };
  }
  closeAsPerson(): void {
    this.emit('close');
    BrowserWindow.#all.splice(BrowserWindow.#all.indexOf(this), 1);
    this.emit('closed');
    if (BrowserWindow.#all.length === 0) app.emit('window-all-closed');
  }
}

class App extends EventEmitter {
  requestSingleInstanceLock(): boolean {
    return true;
  }
  async whenReady(): Promise<void> {
    await Promise.resolve();
  }
  getPath(): string {
    return process.env.STAND_IN_USER_DATA ?? '.';
  }
  quit(): void {
    let prevented = false;
    this.emit('before-quit', { preventDefault: () => (prevented = true) });
    if (!prevented) this.exit(0);
  }
  exit(code: number): void {
    tell({ type: 'quit', code });
    process.disconnect?.();
    process.exitCode = code;
  }
}

export const app = new App();
export const ipcMain = Object.assign(new EventEmitter(), { handle: () => undefined });

let schemeHandler: (request: { url: string }) => Promise<Response> = async () => new Response('', { status: 404 });
export const protocol = {
  registerSchemesAsPrivileged: () => undefined,
  handle: (_scheme: string, handler: typeof schemeHandler) => {
    schemeHandler = handler;
  },
};

type PermissionHandler = (contents: unknown, permission: string, callback: (granted: boolean) => void) => void;
let permissionHandler: PermissionHandler = (_contents, _permission, callback) => callback(true);
export const session = {
  defaultSession: {
    setPermissionRequestHandler: (handler: PermissionHandler) => {
      permissionHandler = handler;
    },
  },
};

let menu: readonly MenuItem[] = [];
export const Menu = {
  buildFromTemplate: (template: readonly MenuItem[]) => template,
  setApplicationMenu: (template: readonly MenuItem[]) => {
    menu = template;
    tell({ type: 'menu', items: JSON.parse(JSON.stringify(template)) as MenuItem[] });
  },
};

export const dialog = {
  showErrorBox: (title: string, text: string) => process.stderr.write(`[${title}] ${text}\n`),
  showOpenDialog: async () => ({ canceled: true, filePaths: [] }),
};
export const shell = { openExternal: async () => undefined, showItemInFolder: () => undefined };

process.on('message', (message: ToApp) => void actAs(message));

async function actAs(message: ToApp): Promise<void> {
  const [window] = BrowserWindow.getAllWindows();
  const answer = (value: unknown) => 'id' in message && tell({ type: 'answer', id: message.id, value });
  switch (message.type) {
    case 'from-page':
      ipcMain.emit(message.channel, { sender: window?.webContents, senderFrame: { url: message.url } }, message.text);
      return;
    case 'navigate': {
      let allowed = true;
      window?.webContents.emit('will-navigate', { preventDefault: () => (allowed = false) }, message.url);
      answer(allowed);
      return;
    }
    case 'open-window':
      answer(window?.webContents.openWindow(message.url));
      return;
    case 'permission':
      permissionHandler(window?.webContents, message.permission, answer);
      return;
    case 'fetch': {
      const response = await schemeHandler({ url: message.url });
      answer({
        status: response.status,
        type: response.headers.get('content-type'),
        policy: response.headers.get('content-security-policy'),
        text: await response.text(),
      });
      return;
    }
    case 'reload':
      window?.webContents.emit('did-start-navigation', { isMainFrame: true, isSameDocument: false });
      return;
    case 'click-menu':
      menu
        .flatMap((item) => item.submenu ?? [])
        .find((item) => item.label === message.label)
        ?.click?.();
      return;
    case 'close-window':
      window?.closeAsPerson();
      return;
  }
}
