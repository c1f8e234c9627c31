import { BrowserWindow, Menu, type MenuItemConstructorOptions } from 'electron';
import { channels } from '../shared/bridge.ts';

const PAGES = [
  { page: 'compose', label: 'Compose' },
  { page: 'launch', label: 'Launch' },
  { page: 'runs', label: 'Runs' },
  { page: 'inference', label: 'Inference' },
  { page: 'settings', label: 'Machine' },
  { page: 'projects', label: 'Projects' },
] as const;

/** The menu of the app: pages by number, the usual edit and window entries of each platform. */
export function installMenu(): void {
  Menu.setApplicationMenu(Menu.buildFromTemplate(menuTemplate(process.platform)));
}

export function menuTemplate(platform: NodeJS.Platform): MenuItemConstructorOptions[] {
  return [
    ...(platform === 'darwin' ? [{ role: 'appMenu' } as const] : []),
    {
      label: 'File',
      submenu: [
        { label: 'Open project…', accelerator: 'CmdOrCtrl+O', click: () => send('navigate:projects') },
        { type: 'separator' },
        platform === 'darwin' ? { role: 'close' } : { role: 'quit' },
      ],
    },
    { role: 'editMenu' },
    {
      label: 'Go',
      submenu: PAGES.map(({ page, label }, index) => ({
        label,
        accelerator: `CmdOrCtrl+${index + 1}`,
        click: () => send(`navigate:${page}`),
      })),
    },
    { role: 'viewMenu' },
    { role: 'windowMenu' },
  ];
}

function send(command: string): void {
  const window = BrowserWindow.getFocusedWindow() ?? BrowserWindow.getAllWindows()[0];
  window?.webContents.send(channels.menuCommand, command);
}
