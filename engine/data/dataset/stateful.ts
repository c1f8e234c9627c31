import { EngineError } from '../../api/errors.ts';
import { isPlainObject } from '../collate/collate.ts';

/** Says where it stands, and goes on from there: torchdata's Stateful. The state is JSON. */
export interface Stateful {
  state_dict(): unknown;
  load_state_dict(state: unknown): void;
}

/** Throws `data.stream.state` for half of the protocol, with which nothing could be resumed. */
export function isStateful(value: object): value is Stateful {
  const [saves, loads] = ['state_dict', 'load_state_dict'].map(
    (name) => typeof Reflect.get(value, name) === 'function',
  );
  if (saves === loads) return saves === true;
  const [has, lacks] = saves ? ['state_dict', 'load_state_dict'] : ['load_state_dict', 'state_dict'];
  throw new EngineError(
    'data.stream.state',
    `${nameOf(value)} has ${has}() but no ${lacks}(). Add it, or remove the other: a stream with neither is read again from its beginning when a training goes on.`,
    { has, lacks },
  );
}

/**
 * A copy of a state as it is now, which later samples cannot change. Throws `data.stream.state` with the place of what
 * JSON would lose: NaN, undefined, typed arrays, instances of classes.
 */
export function copyState(holder: Stateful): unknown {
  return copy(holder.state_dict(), '', nameOf(holder));
}

function copy(value: unknown, path: string, name: string): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map((item, i) => copy(item, join(path, i), name));
  if (typeof value === 'object' && isPlainObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copy(item, join(path, key), name)]));
  }
  throw new EngineError(
    'data.stream.state',
    `The state of ${name} cannot be saved: its ${path === '' ? 'value' : `field '${path}'`} is ${describe(value)}, which JSON cannot hold. Give finite numbers, text, booleans, null, and lists and plain objects of them.`,
    { path },
  );
}

function describe(value: unknown): string {
  if (typeof value === 'number' || value === undefined) return String(value);
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`;
  return `an instance of ${nameOf(value)}`;
}

function join(path: string, key: string | number): string {
  return path === '' ? String(key) : `${path}.${key}`;
}

/** Of its class; a generator has none. */
export function nameOf(value: object): string {
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && name !== '' ? name : 'the stream';
}
