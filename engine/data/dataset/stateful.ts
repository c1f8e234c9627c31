import { EngineError } from '../../api/errors.ts';
import { copyExact, type Unsaveable } from '../../base/exactJson.ts';

/** Says where it stands, and goes on from there: torchdata's Stateful. The state is what state.json of a checkpoint can hold. */
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
 * A copy of a state as it is now, which later samples cannot change. Throws `data.stream.state` with the place of what a
 * checkpoint would lose: typed arrays of most kinds, instances of classes, functions.
 */
export function copyState(holder: Stateful): unknown {
  return copyExact(holder.state_dict(), (part) => {
    const text = `The state of ${nameOf(holder)} cannot be saved: ${unsaveableText(part)}`;
    return new EngineError('data.stream.state', text, { path: part.path });
  });
}

/** What of a state a checkpoint cannot hold, and what it can. */
export function unsaveableText({ path, what }: Unsaveable): string {
  return `its ${path === '' ? 'value' : `field '${path}'`} is ${what}, which a checkpoint cannot hold. Give numbers, text, booleans, null, Float64Array, Uint8Array, and lists and plain objects of them.`;
}

/** Of its class; a generator has none. */
export function nameOf(value: object): string {
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && name !== '' ? name : 'the stream';
}
