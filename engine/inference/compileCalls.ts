import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../api/errors.ts';
import { type ContainerNode, toPlain } from '../config/index.ts';
import { CallCompiler } from '../trainer/compile/callCompiler.ts';
import { tensorBackend } from '../trainer/compile/nativeTensors.ts';
import type { CompileMode } from '../trainer/settingSections.ts';
import type { LoadableModel } from './loadModel.ts';

/**
 * Lets a model's `call` run as graphs, where the mode and the backend have it. Throws 'inference.compile' for `true` on
 * a backend that cannot, and later from a call that cannot.
 */
export function compileCalls(
  model: LoadableModel,
  mode: CompileMode,
  say: (text: string) => void,
): CallCompiler | undefined {
  if (mode === false) return undefined;
  const backend = tensorBackend();
  if (backend !== undefined) return new CallCompiler(model, { backend, mode, say });
  if (mode === 'auto') return undefined;
  throw new EngineError(
    'inference.compile',
    `compile: true needs the native TensorFlow backend; here it is '${tf.getBackend()}'. With compile: auto other backends run one operation at a time.`,
    { backend: tf.getBackend() },
  );
}

/** What the run says: one that was trained without graphs is asked without. */
export function compileModeOf(runConfig: ContainerNode): CompileMode {
  const trainer: unknown = Reflect.get(Object(toPlain(runConfig)), 'trainer');
  return Reflect.get(Object(trainer), 'compile') === false ? false : 'auto';
}
