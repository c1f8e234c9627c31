import type { Disposable } from '../../base/disposable.ts';
import { type Composition, compose } from '../compose/compose.ts';
import type { ComposeRequest } from '../compose/request.ts';
import { requestSources } from '../compose/searchPath.ts';
import type { ConfigSource } from '../compose/source.ts';
import { ConfigError } from '../errors.ts';
import { DictNode } from '../node/node.ts';
import { type ConfigChange, configChanges } from './changes.ts';

export type WatchEvent =
  | {
      readonly kind: 'composed';
      readonly composition: Composition;
      /** Since the last composition that succeeded; all leaves are new at first. */
      readonly changes: readonly ConfigChange[];
    }
  | { readonly kind: 'failed'; readonly error: ConfigError };

export interface ComposeWatchOptions {
  /** Changes that follow each other within this time are one. 40 unless told otherwise. */
  readonly settleMs?: number;
}

/**
 * Composes now and again whenever a file on the search path changes. The listener hears of every composition whose
 * config, choices or error differ from the last. Disposing ends the watching; nothing is heard afterwards.
 */
export function composeWatch(
  request: ComposeRequest,
  listener: (event: WatchEvent) => void,
  options: ComposeWatchOptions = {},
): Disposable {
  return new Watcher(request, listener, options.settleMs ?? 40);
}

class Watcher implements Disposable {
  readonly #request: ComposeRequest;
  readonly #listener: (event: WatchEvent) => void;
  readonly #settleMs: number;
  readonly #watched = new Map<string, Disposable>();
  #composition: Composition | undefined = undefined;
  #failure: string | undefined = undefined;
  #timer: ReturnType<typeof setTimeout> | undefined = undefined;
  #disposed = false;

  constructor(request: ComposeRequest, listener: (event: WatchEvent) => void, settleMs: number) {
    this.#request = request;
    this.#listener = listener;
    this.#settleMs = settleMs;
    this.#watch(requestSources(request));
    this.#recompose();
  }

  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#timer);
    for (const watched of this.#watched.values()) void watched.dispose();
    this.#watched.clear();
  }

  #watch(sources: readonly ConfigSource[]): void {
    for (const source of sources) {
      if (source.watch === undefined || this.#watched.has(source.url)) continue;
      this.#watched.set(
        source.url,
        source.watch(() => this.#later()),
      );
    }
  }

  #later(): void {
    if (this.#disposed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#recompose(), this.#settleMs);
    // A program that has nothing else to do need not wait for a file to settle.
    this.#timer.unref();
  }

  #recompose(): void {
    let composition: Composition;
    try {
      composition = compose(this.#request);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.#fail(error);
      return;
    }
    // `hydra.searchpath` may have brought places that were not watched before.
    this.#watch(composition.prepared.repository.sources);
    const before = this.#composition;
    const recovered = this.#failure !== undefined;
    const changes = configChanges(before?.config ?? new DictNode(), composition.config);
    const isSame = before !== undefined && changes.length === 0 && sameChoices(before, composition);
    this.#composition = composition;
    this.#failure = undefined;
    if (!isSame || recovered) this.#listener({ kind: 'composed', composition, changes });
  }

  #fail(error: ConfigError): void {
    const told = error.describe();
    if (told === this.#failure) return;
    this.#failure = told;
    this.#listener({ kind: 'failed', error });
  }
}

function sameChoices(a: Composition, b: Composition): boolean {
  return a.choices.size === b.choices.size && [...a.choices].every(([key, option]) => b.choices.get(key) === option);
}
