import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { compileCacheFolder } from './engine/setup/paths.mjs';

// Three projects, so that a person (and CI) can run the fast ones alone: `vitest --project unit`.
// Unit tests' files share processes (see test/support/sharedProcess.ts): that halves their time.
// Process tests spend half their time on children that start: two files at a time keep two cores busy, more would only
// make children wait for each other. Browser tests watch the clock as a person would, one at a time.

// Children start as they do for a user, who has Node keep what it compiled: it halves the time of a start.
const env = { NODE_COMPILE_CACHE: compileCacheFolder };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/{unit,api,conformance,arch}/**/*.test.{ts,tsx}'],
          pool: 'forks',
          maxWorkers: Math.max(2, availableParallelism() - 1),
          isolate: false,
          setupFiles: ['test/support/sharedProcess.ts'],
          testTimeout: 20_000,
          // a machine may stand still for a second
          expect: { poll: { timeout: 10_000 } },
        },
      },
      {
        test: {
          name: 'process',
          include: ['test/process/**/*.test.ts'],
          env,
          pool: 'forks',
          maxWorkers: 2,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          env,
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 180_000,
          // a page that is waited for takes as long as the machine is busy
          expect: { poll: { timeout: 20_000 } },
        },
      },
    ],
  },
});
