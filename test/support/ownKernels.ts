import { tensorflowObstacle } from '../../engine/backend/index.ts';
import { readSetup } from '../../engine/backend/setupRecord.ts';

/** Why there is no library of `engine/backend/native` here, or undefined. */
export function ownKernelsObstacle(): string | undefined {
  const kernels = readSetup()?.tensorflow.kernels;
  return tensorflowObstacle() ?? (kernels?.built ? undefined : (kernels?.reason ?? 'set-up is of an older version'));
}
