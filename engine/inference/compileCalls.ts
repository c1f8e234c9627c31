import * as tf from '@tensorflow/tfjs';
import { EngineError } from '../api/errors.ts';
import { type ContainerNode, toPlain } from '../config/index.ts';
import { CallCompiler } from '../trainer/compile/callCompiler.ts';
import { type TensorBackend, tensorBackend } from '../trainer/compile/nativeTensors.ts';
import { xlaObstacle } from '../trainer/compile/xla.ts';
import type { CompileMode } from '../trainer/settingSections.ts';
import type { LoadableModel } from './loadModel.ts';

/** How a model's calls are to run. */
export interface CallGraphs {
  readonly mode: CompileMode;
  /** Whether XLA compiles the graphs; `inherited`: where that can be had, since the run was trained so. */
  readonly xla: boolean | 'inherited';
}

/** What the inference config says of it; undefined: as the run. */
export interface AskedGraphs {
  readonly compile: CompileMode | undefined;
  readonly compile_xla: boolean | undefined;
}

/**
 * Lets a model's `call` run as graphs, where the mode and the backend have it. Throws 'inference.compile' for `true` on
 * a backend that cannot, and later from a call that cannot; 'inference.compile_xla' where XLA was asked for and is not
 * there. Where it is only as the run was trained, that is said.
 */
export function compileCalls(
  model: LoadableModel,
  { mode, xla }: CallGraphs,
  say: (text: string) => void,
): CallCompiler | undefined {
  if (mode === false) return undefined;
  const backend = tensorBackend();
  const usesXla = xla === false ? false : mayUseXla(xla, backend, say);
  if (backend !== undefined) return new CallCompiler(model, { backend, mode, xla: usesXla, say });
  if (mode === 'auto') return undefined;
  throw new EngineError(
    'inference.compile',
    `compile: true needs the native TensorFlow backend; here it is '${tf.getBackend()}'. With compile: auto other backends run one operation at a time.`,
    { backend: tf.getBackend() },
  );
}

function mayUseXla(xla: true | 'inherited', backend: TensorBackend | undefined, say: (text: string) => void): boolean {
  const obstacle = xlaObstacle(backend?.binding);
  if (obstacle === undefined) return true;
  if (xla === true)
    throw new EngineError(
      'inference.compile_xla',
      `compile_xla: true ${obstacle}. Leave the key out: the model's call is compiled as TensorFlow graphs all the same where it can be.`,
      { version: backend?.binding.TF_Version },
    );
  say(`The run was trained with compile_xla: true, which ${obstacle}. It answers without XLA.`);
  return false;
}

/**
 * What is asked for, and where nothing is, what the run was trained with: without graphs, without; with XLA, with. Throws
 * 'inference.settings' where XLA is asked for and there are to be no graphs.
 */
export function callGraphsOf(runConfig: ContainerNode, asked?: AskedGraphs): CallGraphs {
  const trainer: unknown = Object(Reflect.get(Object(toPlain(runConfig)), 'trainer'));
  const trained = (key: string): unknown => Reflect.get(Object(trainer), key);
  const mode = asked?.compile ?? (trained('compile') === false ? false : 'auto');
  if (mode === false && asked?.compile_xla === true)
    throw new EngineError(
      'inference.settings',
      `compile_xla is true and there are to be no graphs (${asked.compile === false ? 'compile is false' : 'the run was trained with compile: false'}). Set compile=auto, or leave compile_xla out.`,
      { path: 'compile_xla' },
    );
  return { mode, xla: asked?.compile_xla ?? (trained('compile_xla') === true ? 'inherited' : false) };
}
