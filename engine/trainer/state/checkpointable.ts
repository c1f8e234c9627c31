import { EngineError } from '../../api/errors.ts';
import { copyExact } from '../../base/exactJson.ts';
import { nameOf, type Stateful, unsaveableText } from '../../data/index.ts';

/** Something of the project's that is saved with every checkpoint. The state must survive `stringifyExact`. */
export type Checkpointable = Stateful;

/**
 * The states of a trainer's `checkpoint_objects` as they are now, ready to be saved. Throws `trainer.checkpoint-objects`,
 * naming the object, for what is none, for a state_dict that fails and for a state that a checkpoint would not give back.
 */
export function readStates(objects: unknown): unknown[] {
  if (!Array.isArray(objects)) {
    throw refused(
      `checkpoint_objects must be a list of objects with state_dict() and load_state_dict(); it is ${objects === null ? 'null' : typeof objects}.`,
    );
  }
  return objects.map((object: unknown, index) => readState(object, index));
}

function readState(object: unknown, index: number): unknown {
  const holder = asCheckpointable(object, index);
  const state = attempt(holder, index, 'state_dict', () => holder.state_dict());
  if (state instanceof Promise) {
    // nobody else will hear of it
    state.catch(() => undefined);
    throw refused(`${named(holder, index)}: state_dict is asynchronous; it must give the state itself.`);
  }
  return copyExact(state, (part) =>
    refused(`The state of ${named(holder, index)} cannot be saved: ${unsaveableText(part)}`),
  );
}

/** Throws `trainer.resume` where a checkpoint holds the states of more or fewer objects than the trainer has. */
export function checkObjects(checkpoint: string, objects: readonly unknown[], states: readonly unknown[]): void {
  if (objects.length === states.length) return;
  throw new EngineError(
    'trainer.resume',
    `${checkpoint} holds the state of ${states.length} checkpoint_objects, the trainer has ${objects.length}. A run goes on with all of them: give the trainer the same ones, in the same order.`,
    { checkpoint, saved: states.length, built: objects.length },
  );
}

/** Puts back what `readStates` gave, one state for each object. Throws `trainer.checkpoint-objects` naming the object. */
export async function restoreStates(objects: readonly unknown[], states: readonly unknown[]): Promise<void> {
  for (const [index, object] of objects.entries()) {
    const holder = asCheckpointable(object, index);
    // its type promises no promise; a project's may give one all the same
    const loading: unknown = attempt(holder, index, 'load_state_dict', () => holder.load_state_dict(states[index]));
    await Promise.resolve(loading).catch((error: unknown) => {
      throw failed(holder, index, 'load_state_dict', error);
    });
  }
}

function asCheckpointable(object: unknown, index: number): Checkpointable {
  if (isCheckpointable(object)) return object;
  const what = typeof object === 'object' && object !== null ? named(object, index) : `checkpoint_objects[${index}]`;
  throw refused(`${what} needs both state_dict() and load_state_dict(state).`);
}

function isCheckpointable(object: unknown): object is Checkpointable {
  if (typeof object !== 'object' || object === null) return false;
  return ['state_dict', 'load_state_dict'].every((name) => typeof Reflect.get(object, name) === 'function');
}

function attempt<T>(holder: object, index: number, method: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw failed(holder, index, method, error);
  }
}

function failed(holder: object, index: number, method: string, error: unknown): EngineError {
  const reason = error instanceof Error ? error.message : String(error);
  return refused(`${method} of ${named(holder, index)} failed: ${reason}`, error);
}

function named(holder: object, index: number): string {
  const name = holder.constructor?.name ?? 'Object';
  return `checkpoint_objects[${index}]${name === 'Object' ? '' : ` (${nameOf(holder)})`}`;
}

function refused(text: string, cause?: unknown): EngineError {
  return new EngineError('trainer.checkpoint-objects', text, {}, { cause });
}
