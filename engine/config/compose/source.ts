import type { Disposable } from '../../base/disposable.ts';

/** What a source knows of one path without reading it. `stamp` changes whenever the content does. */
export interface SourceEntry {
  readonly kind: 'file' | 'directory';
  readonly stamp: string;
}

/**
 * A place that holds config files, read by path with `/` between names and the root as an empty path. The composer
 * caches what it parsed by `url`, path and stamp, so a source only lists and reads.
 */
export interface ConfigSource {
  /** Who put it on the search path: `main`, `hydra`, `hydra.searchpath in main`, … */
  readonly provider: string;
  /** Scheme and place: `file:///project/configs`, `pkg://hydra.conf`, `memory://test`. */
  readonly url: string;
  /** The root is there and can be read. */
  available(): boolean;
  /** `undefined` when nothing is there. Throws a ConfigError (`OSError`) when it cannot be told, as for a loop of links. */
  stat(path: string): SourceEntry | undefined;
  /** Names directly under a directory, files with their extension. */
  list(path: string): readonly string[];
  /** The text of a file. Throws a ConfigError (`OSError`) when it cannot be read or is not text. */
  read(path: string): string;
  /** What a person knows the file by, for `file:line:column`. */
  display(path: string): string;
  /** Calls back after something in it changed, until disposed; not there for a source that never changes. */
  watch?(onChange: () => void): Disposable;
}

/** `provider=main, path=file:///project/configs`, as Hydra lists its search path. */
export function describeSource(source: ConfigSource): string {
  return `provider=${source.provider}, path=${source.url}`;
}

/** The part of the url before `://`. */
export function schemeOf(url: string): string {
  const end = url.indexOf('://');
  return end === -1 ? 'file' : url.slice(0, end);
}

/** The part of the url after `://`. */
export function placeOf(url: string): string {
  const end = url.indexOf('://');
  return end === -1 ? url : url.slice(end + 3);
}
