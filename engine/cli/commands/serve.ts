import { fileURLToPath } from 'node:url';
import { serveLoopback } from '../../transport/loopbackServer.ts';
import { type ExitCode, exitCodes } from '../exitCodes.ts';
import { type ProjectOption, projectFolder } from '../openEngine.ts';
import type { Terminal } from '../ui/terminal.ts';

export interface ServeOptions extends ProjectOption {
  readonly port?: number;
  readonly open?: boolean;
  readonly headless?: boolean;
}

const rendererDir = fileURLToPath(new URL('../../../dist/renderer', import.meta.url));

/** `serve`: the app on a loopback port until Ctrl-C. Enter prints a fresh link: each opens once. */
export async function serve(terminal: Terminal, options: ServeOptions): Promise<ExitCode> {
  const { createEngine, openInBrowser } = await import('../../service/index.ts');
  const engine = await createEngine({ projectDir: await projectFolder(options), trustProject: true });
  try {
    const server = await serveLoopback(engine, { port: options.port, rendererDir });
    const link = server.createLink();
    terminal.print(`AccelHydra Studio: ${link}`);
    terminal.note(
      `The link opens once. ${process.stdin.isTTY ? 'Enter prints a fresh one; ' : ''}Ctrl-C ends the app, not its runs.`,
    );
    if (options.open && !options.headless && !(await openInBrowser(link)))
      terminal.note('No browser could be opened here.');
    const onInput = () => terminal.print(`AccelHydra Studio: ${server.createLink()}`);
    if (process.stdin.isTTY) process.stdin.on('data', onInput).resume();
    await untilAskedToEnd();
    process.stdin.off('data', onInput).pause();
    await server.dispose();
  } finally {
    await engine.dispose();
  }
  return exitCodes.ok;
}

/** Resolves at the first Ctrl-C or polite stop; a second one ends the process at once. */
function untilAskedToEnd(): Promise<void> {
  return new Promise((resolve) => {
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    const onSignal = () => {
      for (const signal of signals) process.off(signal, onSignal);
      resolve();
    };
    for (const signal of signals) process.on(signal, onSignal);
  });
}
