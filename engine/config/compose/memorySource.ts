import type { Disposable } from '../../base/disposable.ts';
import { Emitter } from '../../base/event.ts';
import { ConfigError } from '../errors.ts';
import type { ConfigSource, SourceEntry } from './source.ts';

export interface MemorySourceOptions {
  readonly provider?: string;
  readonly url?: string;
  /** Put before a path to name the file for people; nothing unless given. */
  readonly displayPrefix?: string;
}

/** Config files held in memory, by path (`db/mysql.yaml` → text). For tests and for configs that come with the engine. */
export class MemorySource implements ConfigSource {
  readonly provider: string;
  readonly url: string;
  readonly #prefix: string;
  readonly #files = new Map<string, { readonly text: string; readonly stamp: string }>();
  readonly #directories = new Map<string, Set<string>>([['', new Set()]]);
  readonly #changed = new Emitter<void>();
  #version = 0;

  constructor(files: Readonly<Record<string, string>> = {}, options: MemorySourceOptions = {}) {
    this.provider = options.provider ?? 'main';
    this.url = options.url ?? `memory://${nextMemoryId()}`;
    this.#prefix = options.displayPrefix ?? '';
    for (const [path, text] of Object.entries(files)) this.write(path, text);
  }

  /** Adds or replaces a file; its stamp changes. */
  write(path: string, text: string): void {
    this.#files.set(path, { text, stamp: String(++this.#version) });
    let child = path;
    for (let slash = child.lastIndexOf('/'); ; slash = child.lastIndexOf('/')) {
      const parent = slash === -1 ? '' : child.slice(0, slash);
      const names = this.#directories.get(parent) ?? new Set();
      names.add(child.slice(slash + 1));
      this.#directories.set(parent, names);
      if (slash === -1) break;
      child = parent;
    }
    this.#changed.fire();
  }

  /** Takes a file away; its directory stays. */
  remove(path: string): void {
    if (!this.#files.delete(path)) return;
    const slash = path.lastIndexOf('/');
    this.#directories.get(slash === -1 ? '' : path.slice(0, slash))?.delete(path.slice(slash + 1));
    this.#changed.fire();
  }

  watch(onChange: () => void): Disposable {
    return this.#changed.event(onChange);
  }

  available(): boolean {
    return true;
  }

  stat(path: string): SourceEntry | undefined {
    const file = this.#files.get(path);
    if (file !== undefined) return { kind: 'file', stamp: file.stamp };
    return this.#directories.has(path) ? { kind: 'directory', stamp: '' } : undefined;
  }

  list(path: string): readonly string[] {
    return [...(this.#directories.get(path) ?? [])];
  }

  read(path: string): string {
    const file = this.#files.get(path);
    if (file === undefined) throw new ConfigError('OSError', `Config not found : ${path}`);
    return file.text;
  }

  display(path: string): string {
    return `${this.#prefix}${path}`;
  }
}

let memorySources = 0;

function nextMemoryId(): string {
  return `source-${++memorySources}`;
}
