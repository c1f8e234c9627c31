import type { ModelSignature } from '../api/inferenceModel.ts';
import { type ContainerNode, toPlain } from '../config/index.ts';

/** PyTorch's losses that judge every output by itself, so that several labels may hold at once. */
const ONE_BY_ONE = /(^|\.)(BCELoss|BCEWithLogitsLoss|MultiLabelSoftMarginLoss|SoftMarginLoss)$/;
/** The one of them that takes probabilities: the model ends with a sigmoid of its own. */
const OF_PROBABILITIES = /(^|\.)BCELoss$/;

/**
 * The signature, with labels for classes where the run's `loss_fn` was one that judges each by itself: a softmax, which says
 * that exactly one holds, is then not what the model was trained for. A loss within another, or within the model, is not seen.
 */
export function asTrained(signature: ModelSignature, runConfig: ContainerNode): ModelSignature {
  const { output } = signature;
  const target = lossTarget(toPlain(runConfig));
  if ((output.type !== 'classes' && output.type !== 'labels') || !ONE_BY_ONE.test(target)) return signature;
  const labels = { ...output, type: 'labels' } as const;
  const isTold = output.type === 'labels' && output.fromLogits !== undefined;
  if (isTold || !OF_PROBABILITIES.test(target)) return { ...signature, output: labels };
  return { ...signature, output: { ...labels, fromLogits: false } };
}

function lossTarget(config: unknown): string {
  const target = field(field(config, 'loss_fn'), '_target_');
  return typeof target === 'string' ? target : '';
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}
