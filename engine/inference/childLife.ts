import * as tf from '@tensorflow/tfjs';
import { serializeError } from '../api/errors.ts';
import { loadProject, openProjectRuntime, type ProjectRuntime } from '../instantiate/index.ts';
import { builtinTargets } from '../trainer/index.ts';
import type { SessionFailure } from './sessionProtocol.ts';

/** Hands a message to the parent; resolves when it has left this process, or cannot any more. */
export function sendToParent(message: object): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, undefined, undefined, () => resolve());
  });
}

/** Ends this process when the parent closes the channel or goes away; signals of the terminal are the parent's business. */
export function endWithParent(): void {
  process.on('disconnect', () => process.exit(0));
  process.on('SIGINT', () => undefined);
}

/** An error in the form that crosses the channel: what cannot be cloned is left out. */
export function failureOf(error: unknown): SessionFailure {
  const { code, message, details } = serializeError(error);
  try {
    return { code, message, details: structuredClone({ ...details }) };
  } catch {
    return { code, message, details: {} };
  }
}

/** Makes the project's code importable. A backend must be loaded before anything is computed. */
export function openChildRuntime(projectRoot: string): Promise<ProjectRuntime> {
  return openProjectRuntime(loadProject(projectRoot), { builtins: builtinTargets, tensorflow: tf });
}
