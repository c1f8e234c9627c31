import type { Clock } from '../../base/clock.ts';
import type { Override } from '../grammar/types.ts';
import type { ResolverRegistry } from '../resolve/registry.ts';
import type { ConfigCache } from './repository.ts';
import type { ConfigSource } from './source.ts';

/** What to compose, and from where. */
export interface ComposeRequest {
  /**
   * The places that configs are looked for in, the first being the main one: a directory (also as `file://…`), a
   * library by its `pkg://` name, or a source of one's own. Hydra's groups always come before them.
   */
  readonly searchPath: readonly (string | ConfigSource)[];
  /** The primary config, with its group when it lies in one (`db/mysql`). Without it only overrides fill the config. */
  readonly configName?: string | null | undefined;
  /** As on the command line, or parsed before. */
  readonly overrides?: readonly (string | Override)[];
  /** `1.3` (or older) brings the package keywords `_group_` and `_name_` back. `1.4` unless given. */
  readonly versionBase?: string;
  /** In `multirun` sweeps are allowed and left out, and `???` choices may stay open. */
  readonly mode?: 'run' | 'multirun';
  /** Environment for `oc.env` and `hydra.job.env_copy`. That of the process unless given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** For `${now:…}`. */
  readonly clock?: Clock;
  /** `hydra.runtime.cwd`, and what relative directories are relative to. */
  readonly cwd?: string;
  /** `hydra.runtime.output_dir`, where it is known: the folder of the run. */
  readonly outputDir?: string;
  /** `hydra.job.name`; the primary config's name unless given. */
  readonly jobName?: string;
  /** False lets overrides add keys without `+`. */
  readonly strict?: boolean;
  /** Resolvers for interpolations; OmegaConf's and ours unless given. `hydra` and `now` are always added. */
  readonly resolvers?: ResolverRegistry;
  /** Groups that come with a package, by `pkg://` name. */
  readonly libraries?: Readonly<Record<string, ConfigSource>>;
  /** Parsed files; one for the process unless given. */
  readonly cache?: ConfigCache;
  /** False forgets where values of files were written and what they beat: what that costs can be measured so. */
  readonly provenance?: boolean;
}
