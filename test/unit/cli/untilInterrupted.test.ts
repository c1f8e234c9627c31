import { describe, expect, test } from 'vitest';
import { exitCodes } from '../../../engine/cli/exitCodes.ts';
import { Terminal } from '../../../engine/cli/ui/terminal.ts';
import { untilInterrupted } from '../../../engine/cli/untilInterrupted.ts';

function recorded(): { readonly notes: string[]; readonly terminal: Terminal } {
  const notes: string[] = [];
  const stderr = { write: (text: string) => notes.push(text) };
  return { notes, terminal: new Terminal({ stdout: { write: () => true }, stderr }) };
}

const until = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });

describe('untilInterrupted', () => {
  test('Ctrl-C aborts the work, says so, and is not taken for a failure', async () => {
    const { notes, terminal } = recorded();
    const before = process.listenerCount('SIGINT');
    const done = untilInterrupted(terminal, 'Stopping.', until);
    process.emit('SIGINT');
    expect(await done).toBe(exitCodes.interrupted);
    expect(notes.join('')).toContain('Stopping. Ctrl-C again ends it at once.');
    expect(process.listenerCount('SIGINT')).toBe(before);
  });

  test('work that ends in spite of it keeps its own verdict', async () => {
    const { terminal } = recorded();
    const done = untilInterrupted(terminal, 'Stopping.', async (signal) => {
      await until(signal).catch(() => undefined);
      return exitCodes.ok;
    });
    process.emit('SIGTERM');
    expect(await done).toBe(exitCodes.ok);
  });

  test('an error of the work is passed on, and no listener stays', async () => {
    const { terminal } = recorded();
    const before = process.listenerCount('SIGTERM');
    const failing = untilInterrupted(terminal, 'Stopping.', async () => {
      throw new Error('its own');
    });
    await expect(failing).rejects.toThrow('its own');
    expect(process.listenerCount('SIGTERM')).toBe(before);
  });
});
