import { EngineError } from '../../api/errors.ts';
import type { StreamDataset, StreamRequest } from '../dataset/dataset.ts';
import { copyState, isStateful, nameOf } from '../dataset/stateful.ts';
import type { ReaderState } from './streamState.ts';

export interface OpenStream extends AsyncIterable<unknown> {
  /** Where it stands after the sample given last; undefined where neither dataset nor iterator says so. */
  capture(): Pick<ReaderState, 'holder' | 'state'> | undefined;
}

/**
 * Begins to read a stream, at a saved state where there is one. Throws `data.stream.state` for a state that JSON cannot
 * hold, `data.stream.resume` for one that the dataset does not take.
 */
export function openStream(dataset: StreamDataset, request: StreamRequest, saved?: ReaderState): OpenStream {
  if (saved?.holder === 'dataset') load(dataset, dataset, saved);
  const samples = dataset.samples(request);
  const iterator = Symbol.asyncIterator in samples ? samples[Symbol.asyncIterator]() : samples[Symbol.iterator]();
  if (saved?.holder === 'iterator') load(iterator, dataset, saved);
  const own = isStateful(iterator) ? iterator : undefined;
  const whole = isStateful(dataset) ? dataset : undefined;
  return {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        const { done, value } = await iterator.next();
        return { done: done === true, value: await value };
      },
      return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
    }),
    capture: () => {
      if (own !== undefined) return { holder: 'iterator', state: copyState(own) };
      return whole && { holder: 'dataset', state: copyState(whole) };
    },
  };
}

function load(holder: object, dataset: object, { state, holder: kind }: ReaderState): void {
  const name = nameOf(dataset);
  if (!isStateful(holder)) {
    const who = kind === 'dataset' ? `${name} has` : `what samples() of ${name} gives has`;
    throw refused(name, `${who} no load_state_dict any more`);
  }
  try {
    holder.load_state_dict(state);
  } catch (error) {
    throw refused(name, `load_state_dict refused it: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

function refused(name: string, reason: string, cause?: unknown): EngineError {
  return new EngineError(
    'data.stream.resume',
    `The place in the stream ${name} that the checkpoint holds cannot be gone back to: ${reason.replace(/\.$/, '')}. Go on with the code and data that the run had, or begin a new run.`,
    { dataset: name },
    { cause },
  );
}
