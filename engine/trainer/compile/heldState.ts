import type * as tf from '@tensorflow/tfjs';
import { deleteResult, nativeResult, type Session, type StepGraph } from '../../backend/graph/index.ts';
import type { OptimizerResource, ResourceHolder } from '../../optim/index.ts';
import { HeldEntry, handleOf, showEntry, type TensorBackend } from './nativeTensors.ts';

export interface HeldStateOptions {
  readonly backend: TensorBackend;
  readonly session: Session;
  readonly graph: Pick<StepGraph, 'reads' | 'assignFeeds' | 'assigned'>;
  /** By cell key. */
  readonly variables: ReadonlyMap<string, tf.Variable>;
  /** By cell key; those that mirror a variable have the variable's key. */
  readonly resources: readonly { readonly key: string; readonly resource: OptimizerResource }[];
}

/**
 * Keeps weights and optimizer state inside a graph's session for as long as nobody else looks. Whoever reads, copies,
 * assigns or frees one of the variables gets all of them back first, with their newest values; the next step takes them
 * again.
 */
export class HeldState implements ResourceHolder {
  readonly #options: HeldStateOptions;
  readonly #feeds: string;
  readonly #reads: string;
  readonly #keys: readonly string[];
  #entries: ReadonlyMap<string, HeldEntry> | undefined;

  constructor(options: HeldStateOptions) {
    this.#options = options;
    this.#keys = [...options.graph.assignFeeds.keys()];
    this.#feeds = this.#keys.map((key) => options.graph.assignFeeds.get(key)).join();
    this.#reads = this.#keys.map((key) => options.graph.reads.get(key)).join();
  }

  get isHeld(): boolean {
    return this.#entries !== undefined;
  }

  /** Moves the values into the session. They pass by reference; nothing is copied. */
  take(): void {
    if (this.#entries !== undefined) return;
    const { backend, session, graph, variables, resources } = this.#options;
    const own = new Map(
      resources
        .filter(({ resource }) => resource.mirrors === undefined)
        .map(({ key, resource }) => [key, resource.resource]),
    );
    const borrowed: tf.Tensor[] = [];
    const ids = this.#keys.map((key) => {
      const variable = variables.get(key);
      if (variable !== undefined) return handleOf(backend, variable);
      const value = own.get(key)?.read();
      if (value === undefined) throw new Error(`Internal error: nothing to set '${key}' from`);
      borrowed.push(value);
      return handleOf(backend, value);
    });
    const [done] = session.run(ids, this.#feeds, graph.assigned);
    deleteResult(backend.binding, done);
    for (const tensor of borrowed) tensor.dispose();
    for (const { resource } of resources) resource.resource.lend(this);
    const entries = new Map<string, HeldEntry>();
    for (const [key, variable] of variables) {
      const entry = new HeldEntry(key, variable.shape, backend.getDTypeInteger(variable.dtype));
      showEntry(backend, variable, entry);
      entries.set(key, entry);
    }
    this.#entries = entries;
    for (const entry of entries.values()) entry.watch(() => this.giveBack());
  }

  giveBack(): void {
    const entries = this.#entries;
    if (entries === undefined) return;
    const { backend, session, resources } = this.#options;
    const values = session.run([], '', this.#reads).map((value) => nativeResult(backend.binding, value));
    // not before: what failed is told first, and whoever looks again still finds everything
    this.#entries = undefined;
    const byKey = new Map(this.#keys.map((key, i) => [key, values[i]]));
    for (const [key, entry] of entries) entry.fill(byKey.get(key)?.id ?? -1);
    for (const { key, resource } of resources) {
      const value = resource.mirrors === undefined ? byKey.get(key) : undefined;
      if (value === undefined) {
        resource.resource.takeBack(undefined);
        continue;
      }
      const tensor = backend.createOutputTensor(value);
      resource.resource.takeBack(tensor);
      tensor.dispose();
    }
  }
}
