import type { NativeBinding, NativeTensor } from '../nativeBinding.ts';
import { encodeGraph, type GraphNode } from './graphDef.ts';
import type { KeptTensor, NativeSessions, SessionOutput } from './nativeSessions.ts';
import type { FedValue, RunResult, Session } from './session.ts';

/** Most runs that were started and may not have ended: one runs, four wait. */
export const mostUnderway = 5;

/** A run that was started and not waited for has failed; nothing that was started after it has run. */
export class LateFailure extends Error {
  /** What `start` gave for it. */
  readonly ticket: number;
  readonly feeds: string;
  /** What it was fed with, in the order of the feeds: handles, for whoever gets this to delete. */
  readonly inputs: readonly NativeTensor[];

  constructor(message: string, ticket: number, feeds: string, inputs: readonly NativeTensor[]) {
    super(message);
    this.ticket = ticket;
    this.feeds = feeds;
    this.inputs = inputs;
  }
}

/**
 * A graph that runs on a thread of its own, after all that was asked for before. `start` lets JavaScript go on meanwhile;
 * everything else waits.
 */
export class QueuedSession implements Session {
  readonly takesHostValues = true;
  readonly #binding: NativeBinding;
  readonly #native: NativeSessions;
  readonly #session: object;
  readonly #callables = new Map<string, Map<string, number>>();
  /** The feeds of what may not have run yet, by ticket. */
  readonly #underway = new Map<number, string>();
  #isDisposed = false;

  /** Throws with TensorFlow's own message when it refuses the graph. */
  constructor(binding: NativeBinding, native: NativeSessions, nodes: readonly GraphNode[]) {
    this.#binding = binding;
    this.#native = native;
    this.#session = native.open(encodeGraph(nodes));
  }

  run(inputs: readonly FedValue[], feeds: string, fetches: string): RunResult[] {
    const outputs = this.#native.run(this.#session, this.#callable(feeds, fetches), inputs.map(this.#given));
    if (outputs === undefined) throw this.#failure();
    this.#underway.clear();
    return outputs.map(this.#result);
  }

  /**
   * Runs soon: for its effects or, with `keeps`, also for what it fetches, to be taken when it has ended. Waits where enough
   * runs wait already (sessionQueue.h). Gives a number that it is known by. Throws `LateFailure` of an earlier one.
   */
  start(inputs: readonly FedValue[], feeds: string, fetches: string, keeps = false): number {
    const given = inputs.map(this.#copied);
    const ticket = this.#native.start(this.#session, this.#callable(feeds, fetches), given, keeps);
    if (ticket === 0) throw this.#failure();
    this.#underway.set(ticket, feeds);
    const [oldest = ticket] = this.#underway.keys();
    if (this.#underway.size > mostUnderway) this.#underway.delete(oldest);
    return ticket;
  }

  /**
   * What a run gave that was started with `keeps`, once, the caller's to delete; what those before it gave is forgotten.
   * Undefined as long as it has not ended, empty where it failed or an earlier one had.
   */
  takeOutputs(ticket: number): RunResult[] | undefined {
    return this.#native.outputs(ticket)?.map(this.#result);
  }

  /** Waits for all that was started. Throws `LateFailure`. */
  settle(): void {
    if (this.#underway.size === 0) return;
    const failure = this.#failureOrNone();
    this.#underway.clear();
    if (failure !== undefined) throw failure;
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#underway.clear();
    this.#native.close(this.#session);
  }

  #callable(feeds: string, fetches: string): number {
    let byFetches = this.#callables.get(feeds);
    if (byFetches === undefined) {
      byFetches = new Map();
      this.#callables.set(feeds, byFetches);
    }
    let callable = byFetches.get(fetches);
    if (callable === undefined) {
      callable = this.#native.callable(this.#session, namesIn(feeds), namesIn(fetches));
      byFetches.set(fetches, callable);
    }
    return callable;
  }

  /** Tensors of the binding's go by the number that they are kept under on their way. */
  readonly #given = (input: FedValue): FedValue => {
    if (typeof input !== 'number') return input;
    const [kept] = this.#binding.executeOp('AccelHydraStash', [], [input], 1);
    if (kept === undefined) throw new Error('Internal error: a tensor was not kept');
    const [key = 0] = this.#binding.tensorDataSync(kept.id);
    this.#binding.deleteTensor(kept.id);
    return key;
  };

  /** The binding's tensors may lie in memory of JavaScript's, which goes on with it while the graph runs. */
  readonly #copied = (input: FedValue): FedValue => {
    if (typeof input !== 'number') return input;
    const [copy] = this.#binding.executeOp('DeepCopy', [], [input], 1);
    if (copy === undefined) throw new Error('Internal error: a tensor was not copied');
    try {
      return this.#given(copy.id);
    } finally {
      this.#binding.deleteTensor(copy.id);
    }
  };

  readonly #result = (output: SessionOutput): RunResult => ('key' in output ? this.#taken(output) : output);

  readonly #taken = ({ key, dtype, shape }: KeptTensor): NativeTensor => {
    const { TF_ATTR_TYPE: type, TF_INT32: int32 } = this.#binding;
    const name = this.#binding.createTensor([], int32, Int32Array.of(key));
    try {
      const [tensor] = this.#binding.executeOp('AccelHydraUnstash', [{ name: 'T', type, value: dtype }], [name], 1);
      if (tensor === undefined) throw new Error('Internal error: a result was not kept');
      return { id: tensor.id, dtype, shape };
    } finally {
      this.#binding.deleteTensor(name);
    }
  };

  #failure(): LateFailure {
    const failure = this.#failureOrNone();
    this.#underway.clear();
    return failure ?? new LateFailure('a run failed before', 0, '', []);
  }

  #failureOrNone(): LateFailure | undefined {
    const failure = this.#native.failure(this.#session);
    if (failure === undefined) return undefined;
    const { ticket, message, inputs } = failure;
    return new LateFailure(message, ticket, this.#underway.get(ticket) ?? '', inputs.map(this.#taken));
  }
}

function namesIn(names: string): string[] {
  return names === '' ? [] : names.split(',');
}
