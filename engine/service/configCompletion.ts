import { EngineError } from '../api/errors.ts';
import { type Composition, compose } from '../config/compose/compose.ts';
import { configNames, groupOptions, listGroups } from '../config/compose/groups.ts';
import type { ConfigNode } from '../config/node/node.ts';
import { type CompositionRequest, type ConfigPlace, engineRequest } from './composition.ts';
import { scalarText } from './scalarText.ts';

export interface Completion {
  readonly word: string;
  /** What it is, for shells that show that. */
  readonly meaning?: string | undefined;
}

/**
 * What a half-typed override may become: groups and keys before `=`, options and likely values after it. Words that end
 * in `=`, `.` or `/` want to be gone on with.
 */
export function completeOverride(place: ConfigPlace, request: CompositionRequest, word: string): Completion[] {
  const equals = word.indexOf('=');
  if (equals >= 0) return values(place, request, word.slice(0, equals), word.slice(equals + 1));
  const sign = /^(?:\+\+|\+|~)?/.exec(word)?.[0] ?? '';
  const rest = word.slice(sign.length);
  const engine = engineRequest(place, request);
  const end = sign === '~' ? '' : '=';
  const groups = listGroups(engine).flatMap(({ name, active }): Completion[] => {
    if (sign === '++') return [];
    if (sign === '+') return active.length === 0 ? [{ word: `+${name}=`, meaning: 'group' }] : [];
    return active.map(({ key, option }) => ({
      word: `${sign}${key}${end}`,
      meaning: option === null ? 'group' : `group: ${option}`,
    }));
  });
  const found = groups.filter((candidate) => candidate.word.startsWith(word));
  const known = keys(quietly(place, request)?.config, rest, end);
  // What is there already cannot be added, only something below it.
  const usable = sign === '+' ? known.filter(({ word: key }) => key.endsWith('.')) : known;
  return [...found, ...usable.map((key) => prefixed(sign, key))];
}

/** What a half-typed dotted path may become. */
export function completePath(place: ConfigPlace, request: CompositionRequest, word: string): Completion[] {
  return keys(quietly(place, request)?.config, word, '');
}

/** Names of configs at the root of the config folder. */
export function completeConfigName(
  place: ConfigPlace,
  request: Omit<CompositionRequest, 'overrides'>,
  word: string,
): Completion[] {
  return configNames(engineRequest(place, { ...request, overrides: [] }))
    .filter((name) => name.startsWith(word))
    .map((name) => ({ word: name }));
}

function prefixed(sign: string, completion: Completion): Completion {
  return { ...completion, word: `${sign}${completion.word}` };
}

/** The keys of the config one level below what is typed already. */
function keys(config: ConfigNode | undefined, typed: string, end: string): Completion[] {
  const dot = typed.lastIndexOf('.');
  const holder = dot < 0 ? config : follow(config, typed.slice(0, dot));
  if (holder === undefined || holder.kind === 'scalar') return [];
  const children = holder.kind === 'list' ? [...holder.items] : [...holder.values()];
  const head = dot < 0 ? '' : typed.slice(0, dot + 1);
  return children
    .map((child) => ({ child, word: `${head}${String(child.key)}` }))
    .filter(({ word }) => word.startsWith(typed))
    .map(({ child, word }) =>
      child.kind === 'dict' && child.size > 0
        ? { word: `${word}.`, meaning: 'section' }
        : { word: `${word}${end}`, meaning: child.kind === 'scalar' ? scalarText(child) : child.kind },
    );
}

function follow(config: ConfigNode | undefined, path: string): ConfigNode | undefined {
  let node = config;
  for (const part of path.split('.')) {
    if (node?.kind === 'dict') node = node.get(part);
    else if (node?.kind === 'list') node = node.get(Number(part));
    else return undefined;
  }
  return node;
}

/** Options after `group=`, the value and its alternatives after `key=`; a sweep or list goes on behind its last comma. */
function values(place: ConfigPlace, request: CompositionRequest, left: string, right: string): Completion[] {
  const comma = Math.max(right.lastIndexOf(','), right.lastIndexOf('[')) + 1;
  const head = `${left}=${right.slice(0, comma)}`;
  const typed = right.slice(comma);
  const key = left.replace(/^[+~]+/, '');
  const group = key.split('@')[0] ?? '';
  const options = groupOptions(engineRequest(place, request), group);
  const found: Completion[] =
    options.length > 0
      ? options.map(({ name, activeFor }) => ({ word: name, meaning: activeFor.length > 0 ? 'in force' : 'option' }))
      : likelyValues(follow(quietly(place, request)?.config, key));
  return found.filter(({ word }) => word.startsWith(typed)).map((one) => ({ ...one, word: `${head}${one.word}` }));
}

function likelyValues(node: ConfigNode | undefined): Completion[] {
  if (node?.kind !== 'scalar') return [];
  if (node.type === 'bool') return ['true', 'false'].map((word) => ({ word, meaning: 'bool' }));
  return [{ word: scalarText(node), meaning: 'now' }];
}

/** The composed config; without the overrides typed so far where they do not compose; undefined where nothing does. */
function quietly(place: ConfigPlace, request: CompositionRequest): Composition | undefined {
  for (const overrides of [request.overrides, []]) {
    try {
      return compose({ ...engineRequest(place, { ...request, overrides }), mode: 'multirun' });
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
    }
  }
  return undefined;
}
