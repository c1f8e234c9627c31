import { EngineError } from '../../api/errors.ts';
import type { NativeBinding } from '../../backend/index.ts';

/** Throws 'trainer.compile_xla' where there is no TensorFlow that was built with XLA. */
export function checkXla(binding: XlaBinding | undefined): void {
  const obstacle = xlaObstacle(binding);
  if (obstacle === undefined) return;
  throw new EngineError(
    'trainer.compile_xla',
    `compile_xla: true ${obstacle}. Leave the key out: steps are compiled as TensorFlow graphs all the same.`,
    { version: binding?.TF_Version },
  );
}

export type XlaBinding = Pick<NativeBinding, 'executeOp' | 'TF_Version'>;

/** Why XLA cannot compile graphs here: what it needs, and what was found. */
export function xlaObstacle(binding: XlaBinding | undefined): string | undefined {
  if (binding !== undefined && hasXla(binding)) return undefined;
  const found =
    binding === undefined ? 'the native TensorFlow backend is not in use' : `TensorFlow ${binding.TF_Version} has none`;
  return `needs a TensorFlow that was built with XLA, and ${found}`;
}

/** An operation that is known refuses to run without its attributes; one that is not is told to be missing. */
function hasXla(binding: Pick<NativeBinding, 'executeOp'>): boolean {
  try {
    binding.executeOp('XlaLaunch', [], [], 0);
    return true;
  } catch (error) {
    return !/not registered|registered in (the )?binary|neither a type of a primitive operation/i.test(String(error));
  }
}
