import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { channels } from '../../electron/shared/bridge.ts';
import { decodeWire, encodeWire, type WireMessage } from '../../engine/api/wire.ts';
import type { FromApp, ToApp } from '../support/electron/standIn.ts';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const PAGE = 'accelhydra://studio/index.html';

/** electron/main in a real process, on the stand-in for the `electron` module: no window is drawn. */
class AppProcess {
  readonly heard: FromApp[] = [];
  readonly #child: ChildProcess;
  #nextId = 1;

  constructor(projectDir: string, userData: string) {
    this.#child = fork(join(REPOSITORY, 'electron/main/boot.mjs'), ['--project', projectDir], {
      execArgv: ['--import', join(REPOSITORY, 'test/support/electron/register.mjs')],
      env: { ...process.env, STAND_IN_USER_DATA: userData, XDG_CONFIG_HOME: userData, HOME: userData },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (message: FromApp) => this.heard.push(message));
  }

  send(message: ToApp): void {
    this.#child.send(message);
  }

  /** The first thing it said that matches, now or later. */
  until<T extends FromApp>(matches: (message: FromApp) => message is T): Promise<T> {
    const found = this.heard.find(matches);
    if (found) return Promise.resolve(found);
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#child.off('message', onMessage);
        this.#child.off('exit', onExit);
      };
      const onMessage = (message: FromApp) => {
        if (!matches(message)) return;
        stop();
        resolve(message);
      };
      const onExit = (code: number | null) => {
        stop();
        reject(new Error(`The app ended with ${code} before it said that.`));
      };
      this.#child.on('message', onMessage);
      this.#child.on('exit', onExit);
    });
  }

  async ask(message: DistributiveOmit<Extract<ToApp, { id: number }>, 'id'>): Promise<unknown> {
    const id = this.#nextId++;
    this.send({ ...message, id } as ToApp);
    const isAnswer = (heard: FromApp): heard is Extract<FromApp, { type: 'answer' }> =>
      heard.type === 'answer' && heard.id === id;
    return (await this.until(isAnswer)).value;
  }

  async call(id: number, name: string, input: unknown): Promise<WireMessage> {
    this.send({
      type: 'from-page',
      channel: channels.toEngine,
      url: PAGE,
      text: encodeWire({ type: 'call', id, name, input }),
    });
    const isResult = (heard: FromApp): heard is Extract<FromApp, { type: 'to-page' }> => {
      if (heard.type !== 'to-page' || heard.channel !== channels.fromEngine) return false;
      const message = decodeWire(heard.text);
      return 'id' in message && message.id === id;
    };
    return decodeWire((await this.until(isResult)).text);
  }

  async exitCode(): Promise<number | null> {
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    return this.#child.exitCode;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

const isWindow = (message: FromApp): message is Extract<FromApp, { type: 'window' }> => message.type === 'window';
const isMenu = (message: FromApp): message is Extract<FromApp, { type: 'menu' }> => message.type === 'menu';

describe('electron/main on the stand-in', () => {
  const folder = mkdtempSync(join(tmpdir(), 'accelhydra-electron-'));
  let app: AppProcess;

  beforeAll(() => {
    mkdirSync(join(folder, 'project/configs'), { recursive: true });
    writeFileSync(join(folder, 'project/configs/train.yaml'), 'seed: 1\n');
    app = new AppProcess(join(folder, 'project'), folder);
  });
  afterAll(() => {
    app.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  test('opens one window with isolation, sandbox and no Node', async () => {
    const window = await app.until(isWindow);
    expect(window.url).toBe(PAGE);
    expect(window.options.webPreferences).toMatchObject({
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      webviewTag: false,
    });
  });

  test('answers the page: the same contract as every other host', async () => {
    const answer = await app.call(1, 'config.compose', { configName: 'train', overrides: ['seed=7'] });
    expect(answer).toMatchObject({ type: 'result', output: { configName: 'train' } });
    const failure = await app.call(2, 'config.compose', { configName: 'train', overrides: ['sed=7'] });
    expect(failure).toMatchObject({ type: 'error' });
  });

  test('does not listen to another page', async () => {
    const text = encodeWire({ type: 'call', id: 90, name: 'project.current', input: {} });
    app.send({ type: 'from-page', channel: channels.toEngine, url: 'https://example.org/', text });
    await app.call(91, 'project.current', {});
    const answered = app.heard.filter((heard) => heard.type === 'to-page' && heard.text.includes('"id":90'));
    expect(answered).toEqual([]);
  });

  test('a reload is a new client that is answered again', async () => {
    app.send({ type: 'reload' });
    expect(await app.call(100, 'project.current', {})).toMatchObject({ type: 'result' });
  });

  test('the page cannot leave, open windows or get permissions', async () => {
    expect(await app.ask({ type: 'navigate', url: 'https://example.org/' })).toBe(false);
    expect(await app.ask({ type: 'navigate', url: PAGE })).toBe(true);
    expect(await app.ask({ type: 'open-window', url: 'file:///etc/passwd' })).toBe('deny');
    expect(await app.ask({ type: 'permission', permission: 'media' })).toBe(false);
    expect(await app.ask({ type: 'permission', permission: 'clipboard-sanitized-write' })).toBe(true);
  });

  test('serves the built pages with a strict policy, and nothing outside their folder', async () => {
    const index = await app.ask({ type: 'fetch', url: PAGE });
    if (existsSync(join(REPOSITORY, 'dist/renderer/index.html'))) {
      expect(index).toMatchObject({ status: 200, type: 'text/html; charset=utf-8' });
      expect((index as { policy: string }).policy).toContain("script-src 'self'");
    } else {
      expect(index).toMatchObject({ status: 404 });
    }
    const outside = await app.ask({ type: 'fetch', url: 'accelhydra://studio/..%2f..%2fpackage.json' });
    expect((outside as { status: number }).status).not.toBe(200);
  });

  test('the menu leads to every page', async () => {
    await app.until(isMenu);
    app.send({ type: 'click-menu', label: 'Runs' });
    const command = await app.until(
      (heard): heard is Extract<FromApp, { type: 'to-page' }> =>
        heard.type === 'to-page' && heard.channel === channels.menuCommand,
    );
    expect(command.text).toBe('navigate:runs');
  });

  test('closing the window ends the app cleanly and keeps its place', async () => {
    app.send({ type: 'close-window' });
    expect(await app.exitCode()).toBe(0);
    expect(JSON.parse(readFileSync(join(folder, 'window.json'), 'utf8'))).toMatchObject({ width: 1200, x: 10 });
  });
});
