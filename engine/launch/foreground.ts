import { type FollowedEnd, followRun, type RunFollower } from './followRun.ts';
import { stopLimitMs } from './workerGroup.ts';

const slowAfterMs = 4000;

export interface ForegroundOptions {
  /** Told at the first signal, when the run is asked to save and end, and at the second, when it is ended at once. */
  readonly onSignal?: (what: 'stop' | 'kill') => void;
  /** Told when a run that was asked to save and end has not done so for a while, and how long it may still take. */
  readonly onSlowStop?: (leftMs: number) => void;
  /** Bytes to leave out of each log; see `followRun`. */
  readonly logsFrom?: Readonly<Record<string, number>>;
}

/**
 * Watches a run as a command in a terminal does: the first Ctrl-C (or SIGTERM) stops it politely, the second ends it at
 * once. The processes of the run do not hear the terminal's signals themselves, and a terminal that is closed leaves them
 * training. Resolves with the run's end.
 */
export async function followInForeground(
  runDir: string,
  follower: RunFollower,
  options: ForegroundOptions = {},
): Promise<FollowedEnd> {
  let asked = 0;
  // signals may come before the line to the launcher is up: they are remembered
  let act: (() => void) | undefined;
  let slow: NodeJS.Timeout | undefined;
  const onSignal = () => {
    asked += 1;
    slow ??= setTimeout(() => {
      if (asked === 1) options.onSlowStop?.(stopLimitMs - slowAfterMs);
    }, slowAfterMs);
    options.onSignal?.(asked === 1 ? 'stop' : 'kill');
    act?.();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
  try {
    const followed = await followRun(runDir, follower, options.logsFrom);
    act = () => void (asked === 1 ? followed.stop() : followed.kill());
    if (asked > 0) act();
    const end = await followed.ended;
    await followed.dispose();
    return end;
  } finally {
    clearTimeout(slow);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal);
  }
}
