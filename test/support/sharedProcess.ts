import { afterAll, beforeAll, expect, vi } from 'vitest';

// The unit tests' files share a few processes: with a process each, starting it and loading TensorFlow.js took longer than
// the tests. So a file leaves the process as it found it, and one that does not fails itself, not those that come after.

const signals = ['SIGINT', 'SIGTERM', 'uncaughtException', 'unhandledRejection'] as const;

interface ProcessState {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly listeners: readonly number[];
  readonly fakeTimers: boolean;
}

const state = (): ProcessState => ({
  folder: process.cwd(),
  environment: { ...process.env },
  listeners: signals.map((signal) => process.listenerCount(signal)),
  fakeTimers: vi.isFakeTimers(),
});

let found: ProcessState;
beforeAll(() => {
  found = state();
});

afterAll(() => {
  expect(state()).toEqual(found);
  const engine: unknown = Reflect.get(globalThis, '_tfengine');
  if (engine !== undefined) expect(Reflect.get(Object(engine), 'backendName') ?? 'cpu').toBe('cpu');
});
