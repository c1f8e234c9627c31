import type { EngineApi } from '../api/contract.ts';
import type { EngineEvent } from '../api/events.ts';
import { bindHandlers } from '../api/handlers.ts';
import type { Disposable } from '../base/disposable.ts';
import type { Event } from '../base/event.ts';
import { type EngineOptions, EngineState } from './engineState.ts';
import { configHandlers } from './handlers/configHandlers.ts';
import { continueHandlers } from './handlers/continueHandlers.ts';
import { InferenceSessions, inferenceHandlers } from './handlers/inferenceHandlers.ts';
import { launchHandlers, rememberDevices } from './handlers/launchHandlers.ts';
import { machineHandlers } from './handlers/machineHandlers.ts';
import { projectHandlers } from './handlers/projectHandlers.ts';
import { recordHandlers } from './handlers/recordHandlers.ts';
import { runHandlers } from './handlers/runHandlers.ts';

export type { EngineOptions } from './engineState.ts';

/** What every host serves: the contract's procedures and the events that say what changed. */
export interface Engine extends Disposable {
  readonly api: EngineApi;
  readonly onEvent: Event<EngineEvent>;
  /** The id of the run a person means: an id or its unique start, a name, a folder, `last`. Throws `runs.not-found`. */
  lookUpRun(text: string): string;
}

/**
 * Builds the engine: the process that holds it never loads TensorFlow nor a project's code; runs and inference sessions
 * are processes of their own. It also starts where there is no project yet. Disposing it leaves runs training.
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const state = new EngineState(options);
  const sessions = new InferenceSessions();
  const devices = rememberDevices();
  const api = bindHandlers({
    ...projectHandlers(state),
    ...configHandlers(state),
    ...launchHandlers(state, devices),
    ...continueHandlers(state, devices),
    ...runHandlers(state),
    ...recordHandlers(state),
    ...inferenceHandlers(state, sessions),
    ...machineHandlers(state),
  });
  return {
    api,
    onEvent: state.onEvent,
    lookUpRun: (text) => state.current.store.runs.lookUp(text).id,
    dispose: async () => {
      await sessions.dispose();
      await state.dispose();
    },
  };
}
