import { ConfigError } from '../errors.ts';
import { isHydraOverride, type Override } from '../grammar/types.ts';
import { intNode, nullNode, strNode } from '../node/build.ts';
import { DictNode, ListNode, type ScalarNode } from '../node/node.ts';
import type { Origin } from '../node/origin.ts';
import type { ResolveContext } from '../resolve/context.ts';
import { select } from '../resolve/operations.ts';
import type { ResolverRegistry } from '../resolve/registry.ts';
import { type ConfigSource, placeOf, schemeOf } from './source.ts';
import { strftime } from './strftime.ts';

/** What Hydra writes into its own node when a config is composed. */
export interface HydraFacts {
  readonly overrides: readonly Override[];
  readonly choices: ReadonlyMap<string, string | null>;
  readonly sources: readonly ConfigSource[];
  readonly configName: string | null;
  readonly jobName: string;
  readonly versionBase: string;
  readonly cwd: string;
  readonly outputDir: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The Hydra whose rules are followed. */
export const HYDRA_VERSION = '1.4.0.dev9';

const GENERATED: Origin = { kind: 'generated', by: 'hydra runtime' };

function text(value: string): ScalarNode {
  return strNode(value, GENERATED);
}

/** The mapping under a key, made when it is missing or something else. */
function child(parent: DictNode, key: string): DictNode {
  const existing = parent.get(key);
  if (existing?.kind === 'dict') return existing;
  const created = new DictNode([], GENERATED);
  parent.set(key, created);
  return created;
}

function append(parent: DictNode, key: string, texts: readonly string[]): void {
  const existing = parent.get(key);
  const list = existing?.kind === 'list' ? existing : new ListNode([], GENERATED);
  for (const value of texts) list.push(text(value));
  if (list !== existing) parent.set(key, list);
}

/** Fills in overrides, choices, search path and job. */
export function fillHydraNode(hydra: DictNode, facts: HydraFacts): void {
  const own = facts.overrides.filter(isHydraOverride).map((override) => override.text);
  const task = facts.overrides.filter((override) => !isHydraOverride(override)).map((override) => override.text);
  const overrides = child(hydra, 'overrides');
  append(overrides, 'hydra', own);
  append(overrides, 'task', task);

  const runtime = child(hydra, 'runtime');
  const choices = child(runtime, 'choices');
  for (const [key, option] of facts.choices) choices.set(key, option === null ? nullNode(GENERATED) : text(option));
  runtime.set('version', text(HYDRA_VERSION));
  runtime.set('version_base', text(facts.versionBase));
  runtime.set('cwd', text(facts.cwd));
  if (facts.outputDir !== undefined) runtime.set('output_dir', text(facts.outputDir));
  runtime.set('config_sources', new ListNode(facts.sources.map(sourceInfo), GENERATED));

  const job = child(hydra, 'job');
  copyEnvironment(job, facts.env);
  if (isUnset(job, 'name')) job.set('name', text(facts.jobName));
  if (isUnset(job, 'override_dirname')) job.set('override_dirname', text(overrideDirname(job, task, facts.overrides)));
  job.set('config_name', facts.configName === null ? nullNode(GENERATED) : text(facts.configName));
}

function isUnset(parent: DictNode, key: string): boolean {
  return parent.get(key)?.isMissing ?? true;
}

function sourceInfo(source: ConfigSource): DictNode {
  return new DictNode(
    [
      ['path', text(placeOf(source.url))],
      ['schema', text(schemeOf(source.url))],
      ['provider', text(source.provider)],
    ],
    GENERATED,
  );
}

/** Throws a KeyError when `hydra.job.env_copy` names a variable that is not set. */
export function checkCopiedEnvironment(hydra: DictNode, env: Readonly<Record<string, string | undefined>>): void {
  const job = hydra.get('job');
  const wanted = job?.kind === 'dict' ? job.get('env_copy') : undefined;
  if (wanted?.kind !== 'list') return;
  for (const item of wanted.items) {
    if (item.kind !== 'scalar' || typeof item.value !== 'string' || env[item.value] !== undefined) continue;
    throw new ConfigError('KeyError', `'${item.value}'`, {
      origin: item.origin,
      details: { hint: `The environment variable '${item.value}' of hydra.job.env_copy is not set.` },
    });
  }
}

function copyEnvironment(job: DictNode, env: Readonly<Record<string, string | undefined>>): void {
  const wanted = job.get('env_copy');
  if (wanted?.kind !== 'list') return;
  const target = child(job, 'env_set');
  for (const item of wanted.items) {
    const value = item.kind === 'scalar' && typeof item.value === 'string' ? env[item.value] : undefined;
    if (item.kind === 'scalar' && typeof item.value === 'string' && value !== undefined) {
      target.set(item.value, text(value));
    }
  }
}

/** The task's overrides as part of a directory name, by the settings of `hydra.job.config.override_dirname`. */
function overrideDirname(job: DictNode, task: readonly string[], overrides: readonly Override[]): string {
  const settings = child(child(job, 'config'), 'override_dirname');
  const excluded = settings.get('exclude_keys');
  const keys = new Set(
    excluded?.kind === 'list' ? excluded.items.map((item) => (item.kind === 'scalar' ? item.value : null)) : [],
  );
  const kept = task.filter((line) => {
    const override = overrides.find((candidate) => candidate.text === line);
    return override === undefined || !keys.has(override.keyOrGroup);
  });
  return kept
    .toSorted()
    .join(settingText(settings, 'item_sep', ','))
    .replaceAll('=', settingText(settings, 'kv_sep', '='));
}

function settingText(settings: DictNode, key: string, otherwise: string): string {
  const node = settings.get(key);
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : otherwise;
}

/**
 * Adds `${hydra:path}`, which reads the given config with Hydra's node, and `${now:pattern}`. Without a config the
 * former fails as it does in a program that Hydra has not started.
 */
export function registerHydraResolvers(
  registry: ResolverRegistry,
  hydraRoot: () => { readonly root: DictNode; readonly context: ResolveContext } | undefined,
): void {
  registry.registerTyped(
    'hydra',
    ([path]) => {
      const found = hydraRoot();
      if (found === undefined) throw new ConfigError('ValueError', 'HydraConfig was not set');
      const key = path?.kind === 'scalar' ? String(path.value) : '';
      const node = select(found.root, `hydra.${key}`, found.context);
      if (node === undefined) throw new ConfigError('KeyError', `'hydra.${key}'`);
      return node;
    },
    { replace: true },
  );
  registry.registerTyped(
    'now',
    ([pattern], { now }) => text(strftime(pattern?.kind === 'scalar' ? String(pattern.value) : '', now)),
    { replace: true, useCache: true },
  );
}

/** For a job's number in a sweep, which only the launcher knows. */
export function setJobNumber(hydra: DictNode, number: number, id: string): void {
  const job = child(hydra, 'job');
  job.set('num', intNode(number, GENERATED));
  job.set('id', text(id));
}
