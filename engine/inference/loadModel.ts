import type * as tf from '@tensorflow/tfjs';
import { type ContainerNode, toPlain } from '../config/index.ts';
import type { ProjectRuntime } from '../instantiate/index.ts';
import { asModule, assignWeights, bringFrozenWeights, type Weights } from '../trainer/index.ts';
import type { AnyModule } from '../trainer/model/module.ts';
import type { AnsweringModel } from './predictOnce.ts';

/** A Module as far as inference needs it. */
export interface LoadableModel extends AnsweringModel, Pick<AnyModule, 'namedModules'> {
  eval(): unknown;
  countParams(): { readonly total: number };
  /** The live variables, by name. */
  stateDict(): ReadonlyMap<string, tf.Tensor>;
}

/**
 * The model that the run's config describes, with these weights, in eval mode. Throws what building and loading throw:
 * 'checkpoint.other-model', which lists the tensors that differ, and 'checkpoint.frozen'.
 */
export async function buildModel(
  runtime: ProjectRuntime,
  runConfig: ContainerNode,
  weights: Weights,
): Promise<LoadableModel> {
  const builder = runtime.builder(runConfig);
  const build = async () => asModule(await builder.instantiate('model'));
  const model =
    weights.frozen === undefined
      ? await build()
      : await bringFrozenWeights(build, plainConfig(toPlain(builder.resolved())), weights.frozen, weights.source);
  assignWeights(model, weights);
  model.eval();
  return model;
}

function plainConfig(config: unknown): Readonly<Record<string, unknown>> {
  return typeof config === 'object' && config !== null ? { ...config } : {};
}
