import { readdirSync, readFileSync, statSync, watch } from 'node:fs';
import path from 'node:path';
import type { Disposable } from '../../base/disposable.ts';
import { ConfigError } from '../errors.ts';
import type { ConfigSource, SourceEntry } from './source.ts';

/** Larger files are refused: a config of this size is a mistake, and parsing it would stall everything else. */
const MAXIMUM_BYTES = 32 * 1024 * 1024;

export interface FileSourceOptions {
  readonly provider?: string;
  /** Files are named relative to this directory when they lie below it. The working directory unless given. */
  readonly cwd?: string;
}

/** Config files of a directory. Reads on every call; stamps are made of modification time, size and inode. */
export class FileSource implements ConfigSource {
  readonly provider: string;
  readonly url: string;
  /** Absolute. */
  readonly directory: string;
  readonly #displayRoot: string;

  constructor(directory: string, options: FileSourceOptions = {}) {
    const cwd = options.cwd ?? process.cwd();
    this.provider = options.provider ?? 'main';
    this.directory = path.resolve(cwd, directory);
    this.url = `file://${this.directory}`;
    const relative = path.relative(cwd, this.directory);
    this.#displayRoot = relative.startsWith('..') || path.isAbsolute(relative) ? this.directory : relative;
  }

  available(): boolean {
    return this.stat('')?.kind === 'directory';
  }

  stat(name: string): SourceEntry | undefined {
    if (name.includes('\0')) return undefined;
    try {
      const stats = statSync(this.#full(name), { throwIfNoEntry: false });
      if (stats === undefined) return undefined;
      if (stats.isDirectory()) return { kind: 'directory', stamp: '' };
      // A pipe or device would block the reader.
      if (!stats.isFile()) return undefined;
      return { kind: 'file', stamp: `${stats.mtimeMs}:${stats.size}:${stats.ino}` };
    } catch (error) {
      if (codeOf(error) === 'ENOTDIR' || codeOf(error) === 'ENAMETOOLONG') return undefined;
      throw this.#failure(name, error);
    }
  }

  list(name: string): readonly string[] {
    try {
      return readdirSync(this.#full(name));
    } catch (error) {
      throw this.#failure(name, error);
    }
  }

  read(name: string): string {
    let bytes: Buffer;
    try {
      const { size } = statSync(this.#full(name));
      if (size > MAXIMUM_BYTES) throw new Error(`is ${size} bytes long, more than the ${MAXIMUM_BYTES} allowed`);
      bytes = readFileSync(this.#full(name));
    } catch (error) {
      throw this.#failure(name, error);
    }
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch (error) {
      throw new ConfigError('UnicodeDecodeError', `'${this.display(name)}' is not UTF-8 text: is it a binary file?`, {
        cause: error,
        details: { file: this.#full(name) },
      });
    }
  }

  /** A directory that is not there, or cannot be watched, never changes. */
  watch(onChange: () => void): Disposable {
    try {
      const watcher = watch(this.directory, { recursive: true, persistent: false }, onChange);
      watcher.on('error', onChange);
      return { dispose: () => watcher.close() };
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      return { dispose: () => undefined };
    }
  }

  display(name: string): string {
    return this.#displayRoot === '' ? name : `${this.#displayRoot}/${name}`;
  }

  #full(name: string): string {
    return name === '' ? this.directory : `${this.directory}/${name}`;
  }

  #failure(name: string, error: unknown): ConfigError {
    const code = codeOf(error);
    const reason =
      code === 'ELOOP'
        ? 'is a symbolic link that leads back to itself'
        : code === 'EACCES' || code === 'EPERM'
          ? 'may not be read by this user'
          : error instanceof Error
            ? error.message
            : String(error);
    return new ConfigError('OSError', `'${this.display(name)}' ${reason}`, {
      cause: error,
      details: { file: this.#full(name), code },
    });
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
