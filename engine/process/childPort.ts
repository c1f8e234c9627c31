/** A child process as far as its parent needs it; Node's ChildProcess fits. */
export interface Child {
  readonly pid?: number | undefined;
  readonly connected: boolean;
  readonly stderr: { on(event: 'data', listener: (chunk: unknown) => void): unknown } | null;
  readonly stdout: { on(event: 'data', listener: (chunk: unknown) => void): unknown } | null;
  send(message: object, callback: (error: Error | null) => void): boolean;
  kill(signal: 'SIGTERM' | 'SIGKILL'): boolean;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  once(event: 'exit', listener: (code: number | null, signal: string | null) => void): unknown;
  once(event: 'close', listener: () => void): unknown;
  once(event: 'error', listener: (error: Error) => void): unknown;
  disconnect(): void;
}

export interface ChildStart {
  readonly module: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly folder: string;
}

/** Starts a module as a child with a message channel that keeps typed arrays; given by whoever may start processes. */
export type ForkChild = (start: ChildStart) => Child;
