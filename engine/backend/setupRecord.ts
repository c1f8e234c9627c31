import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What the bootstrap wrote into `.runtime/setup.json`. Only the parts the engine reads are named here. */
export interface SetupRecord {
  readonly node: { readonly path: string; readonly version: string; readonly source: string };
  readonly tensorflow: TensorflowRecord;
  readonly electron: { readonly available: boolean; readonly reason?: string };
  readonly steps: readonly SetupStep[];
}

export interface TensorflowRecord {
  /** Where the library came from; `none` when none could be had. */
  readonly source: 'python' | 'libtensorflow' | 'wheel' | 'none';
  readonly version?: string;
  /** The source for a person, e.g. `pip (tensorflow-cpu)`. */
  readonly from?: string;
  /** Built with CUDA. */
  readonly cuda?: boolean;
  /** Whether it used a GPU when set-up tried it. */
  readonly gpu?: boolean;
  readonly libraries?: readonly string[];
  readonly python?: string;
  /** Why there is none, or why a better one was passed over. */
  readonly reason?: string;
  /** Operations of our own; absent where there is no TensorFlow, or in the record of an older set-up. */
  readonly kernels?: KernelsRecord;
}

/** `key`: names the TensorFlow and the sources; set-up looks again when either is another one. */
export type KernelsRecord =
  | {
      readonly built: true;
      readonly key: string;
      /** The TensorFlow they were built for and tried with, e.g. `2.21.0`. */
      readonly version: string;
    }
  | { readonly built: false; readonly key: string; readonly reason: string };

export interface SetupStep {
  readonly name: string;
  readonly outcome: 'done' | 'skipped' | 'failed';
  readonly detail: string;
  readonly seconds: number;
}

let root: string | undefined;

/** The folder of this package's package.json, found upward from this file (also when bundled into dist/). */
export function packageRoot(): string {
  if (root !== undefined) return root;
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'node_modules', '@tensorflow'))) {
    const parent = dirname(folder);
    if (parent === folder) break;
    folder = parent;
  }
  root = folder;
  return folder;
}

/** The bootstrap's record, or undefined before the first set-up or when the file cannot be read. */
export function readSetup(): SetupRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(packageRoot(), '.runtime', 'setup.json'), 'utf8')) as SetupRecord;
  } catch {
    // Absent or half-written by an interrupted set-up: both mean "not set up", and the next set-up writes it anew.
    return undefined;
  }
}
