import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import type { EngineHandlers } from '../../api/contract.ts';
import { EngineError } from '../../api/errors.ts';
import type { Disposable } from '../../base/disposable.ts';
import { checkpointPlaces } from '../../checkpoint/index.ts';
import { InferenceSession } from '../../inference/index.ts';
import { forkWorker } from '../../launch/childProcess.ts';
import type { EngineState } from '../engineState.ts';

type Names = 'inference.open' | 'inference.predict' | 'inference.samples' | 'inference.close';

/** Checkpoints that answer questions, each in a process of its own that ends with its session or the engine. */
export class InferenceSessions implements Disposable {
  readonly #sessions = new Map<string, InferenceSession>();

  add(session: InferenceSession): string {
    const id = randomUUID();
    this.#sessions.set(id, session);
    return id;
  }

  get(id: string): InferenceSession {
    const session = this.#sessions.get(id);
    if (session) return session;
    throw new EngineError('inference.closed', 'This inference session has ended. Open the checkpoint again.', {
      sessionId: id,
    });
  }

  /** Forgets a session that has ended by itself. */
  forget(id: string): void {
    this.#sessions.delete(id);
  }

  async close(id: string): Promise<void> {
    const session = this.#sessions.get(id);
    this.#sessions.delete(id);
    await session?.dispose();
  }

  async dispose(): Promise<void> {
    await Promise.all([...this.#sessions.keys()].map((id) => this.close(id)));
  }
}

export function inferenceHandlers(state: EngineState, sessions: InferenceSessions): Pick<EngineHandlers, Names> {
  return {
    'inference.open': async ({ runId, checkpoint, useEma }, signal) => {
      state.assertTrusted();
      const { store, project } = state.current;
      const run = store.runs.get(runId);
      const folder = resolve(run.expDir, checkpoint);
      const isOfRun = checkpointPlaces(run.expDir).some((place) => folder.startsWith(place + sep));
      if (!isOfRun || !existsSync(folder)) {
        throw new EngineError(
          'checkpoints.not-found',
          `The run has no checkpoint ${folder} (any more). Choose another one.`,
          { runId, checkpoint },
        );
      }
      const start = { projectRoot: project.root, expDir: run.expDir, checkpoint: folder, useEma };
      const { session, description } = await InferenceSession.open({ fork: forkWorker, start });
      if (signal.aborted) {
        await session.dispose();
        throw new EngineError('cancelled', 'Nobody waits for this session any more.');
      }
      const sessionId = sessions.add(session);
      session.onDidEnd((reason) => {
        sessions.forget(sessionId);
        state.fire({ type: 'inference.ended', sessionId, reason });
      });
      return { ...description, sessionId, runId, checkpoint };
    },
    'inference.predict': ({ sessionId, input, arguments: given }) => sessions.get(sessionId).predict(input, given),
    'inference.samples': ({ sessionId, split, offset, limit }) => sessions.get(sessionId).samples(split, offset, limit),
    'inference.close': async ({ sessionId }) => {
      await sessions.close(sessionId);
      return {};
    },
  };
}
