import { EngineError } from '../../api/errors.ts';
import type { NativeBinding } from '../../backend/index.ts';

/** Throws 'trainer.compile_xla' where there is no TensorFlow that was built with XLA. */
export function checkXla(binding: Pick<NativeBinding, 'executeOp' | 'TF_Version'> | undefined): void {
  if (binding !== undefined && hasXla(binding)) return;
  const found =
    binding === undefined ? 'the native TensorFlow backend is not in use' : `TensorFlow ${binding.TF_Version} has none`;
  throw new EngineError(
    'trainer.compile_xla',
    `compile_xla: true needs a TensorFlow that was built with XLA, and ${found}. Leave the key out: steps are compiled as TensorFlow graphs all the same.`,
    { version: binding?.TF_Version },
  );
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
