import type { NativeSessions } from '../../engine/backend/graph/index.ts';

const key = Symbol.for('accelhydra.nativeLibrary');

/**
 * Puts something in the place of the library whose threads run graphs of trainings that begin meanwhile; nothing, for
 * the binding to run them. Work that comes later finds the library again.
 */
export async function withLibrary<T>(
  change: (library: NativeSessions) => Partial<NativeSessions> | undefined,
  work: () => T | Promise<T>,
): Promise<T> {
  const library: NativeSessions | undefined = Reflect.get(globalThis, key);
  const changes = library && change(library);
  const changed = changes && Object.create(library, Object.getOwnPropertyDescriptors(changes));
  Reflect.set(globalThis, key, changed);
  try {
    return await work();
  } finally {
    Reflect.set(globalThis, key, library);
  }
}
