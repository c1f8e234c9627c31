import type { ModelSignature } from '../api/inferenceModel.ts';
import { type ContainerNode, toPlain } from '../config/index.ts';

/** PyTorch's losses of logits that judge every output by itself, so that several labels may hold at once. */
const ONE_BY_ONE = /(^|\.)(BCEWithLogitsLoss|MultiLabelSoftMarginLoss)$/;

/**
 * The signature, with labels for classes where the run's `loss_fn` was one that judges each by itself: a softmax, which says
 * that exactly one holds, is then not what the model was trained for.
 */
export function asTrained(signature: ModelSignature, runConfig: ContainerNode): ModelSignature {
  const { output } = signature;
  if (output.type !== 'classes' || !ONE_BY_ONE.test(lossTarget(toPlain(runConfig)))) return signature;
  return { ...signature, output: { type: 'labels', names: output.names } };
}

function lossTarget(config: unknown): string {
  const target = field(field(config, 'loss_fn'), '_target_');
  return typeof target === 'string' ? target : '';
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
